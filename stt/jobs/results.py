"""The result of a job, as it is stored: all that any response format needs."""

import json
import zlib
from dataclasses import dataclass
from typing import Any

from stt.notices import Notice, Report
from stt.recognition.segments import in_turns
from stt.types import Token, Transcript, Word


@dataclass(frozen=True)
class Result:
    """A transcript, and what computed it."""

    transcript: Transcript
    language: str
    """Code of the language."""
    model: str
    """Id of the model."""
    device: str
    cpu_threads: int
    processing_seconds: float
    """From the start of the last run to its end."""


_REPORTED = ("track", "n_tracks", "n_channels")


def to_bytes(result: Result) -> bytes:
    """Packed JSON. Numbers keep every bit."""
    transcript, report = result.transcript, result.transcript.report
    fields = {
        "words": [_word_to_list(word) for word in transcript.words],
        "duration_seconds": transcript.duration_seconds,
        "warnings": [[each.code, each.message] for each in report.warnings],
        **{name: getattr(report, name) for name in _REPORTED},
        "language": result.language,
        "model": result.model,
        "device": result.device,
        "cpu_threads": result.cpu_threads,
        "processing_seconds": result.processing_seconds,
    }
    return zlib.compress(json.dumps(fields, ensure_ascii=False).encode())


def from_bytes(data: bytes) -> Result:
    """Read what `to_bytes` wrote."""
    fields = json.loads(zlib.decompress(data))
    warnings = tuple(Notice(code, message) for code, message in fields["warnings"])
    transcript = in_turns(
        Transcript(
            tuple(_word_of_list(entry) for entry in fields["words"]),
            fields["duration_seconds"],
            Report(warnings, *(fields[name] for name in _REPORTED)),
        )
    )
    return Result(
        transcript,
        fields["language"],
        fields["model"],
        fields["device"],
        fields["cpu_threads"],
        fields["processing_seconds"],
    )


def _word_to_list(word: Word) -> list[Any]:
    tokens = [[each.text, each.log_posterior, each.times] for each in word.tokens]
    return [
        word.text, word.start, word.end, word.confidence, tokens, word.space_before, word.spoken,
        word.channel,
    ]  # fmt: skip


def _word_of_list(entry: list[Any]) -> Word:
    text, start, end, confidence, tokens, space_before, spoken, channel = entry
    made = tuple(Token(t, log, None if times is None else tuple(times)) for t, log, times in tokens)
    times = float(start), float(end)
    return Word(text, *times, float(confidence), made, space_before, spoken, channel)
