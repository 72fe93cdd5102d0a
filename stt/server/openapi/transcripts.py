"""The transcript of a recording, in every format of every API."""

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from stt.formats import native, openai, whisper
from stt.formats.base import JSON, AnswerT, Format, Granularity
from stt.formats.findings import finding_fields
from stt.formats.table import SPEAKER_FORMATS
from stt.notices import Code, Notice, Report
from stt.server.openapi.examples import KOREAN, SPOKEN, Answers, Examples
from stt.server.sse import EventStream, delta_event, done_event
from stt.types import Segment, Transcript

_BY_ONE = tuple(replace(word, speaker="A") for word in SPOKEN.words)
TOLD_APART = replace(SPOKEN, words=_BY_ONE, turns=(Segment(_BY_ONE),))
"""The same speech with `diarize=true`."""
WITH_SPEAKERS = SPEAKER_FORMATS | {openai.DIARIZED}
"""Formats whose only example has it."""
SILENT = Transcript(
    (),
    duration_seconds=2.686,
    report=Report(
        (
            Notice(
                Code.NO_SPEECH,
                "No speech was recognised in 2.7 s. The level is -71 dBFS, and 0% of the recording "
                "is louder than -50 dBFS, the level of quiet speech. It is all but silent: check "
                "the microphone and the track.",
            ),
        )
    ),
)
"""An answer that warns."""

GRANULARITIES = frozenset(Granularity)


def answers() -> dict[str, Answers]:
    """Examples by path."""
    return {
        "/transcribe": native_answers(),
        "/v1/audio/transcriptions": _openai_answers(),
        "/asr": _whisper_answers(),
    }


def rendered(formats: Iterable[Format[AnswerT]], answer: AnswerT, note: str = "") -> Answers:
    """An example in each format, named after it."""
    examples: Answers = {}
    for each in formats:
        text = each.render(_told_apart(answer) if each.name in WITH_SPEAKERS else answer)
        value = json.loads(text) if each.media_type == JSON else text
        examples.setdefault((200, each.media_type), []).append((each.name + note, value))
    return examples


def _told_apart(answer: Any) -> Any:
    """The same answer, with speakers."""
    return replace(answer, transcript=TOLD_APART)


def native_answers() -> Answers:
    """Those of the service's own API."""
    body = native.TranscriptionResponse(
        text=SPOKEN.text,
        language=KOREAN.code,
        model=KOREAN.model.name,
        processing_time_seconds=0.0325,
        device="cpu",
        cpu_threads=2,
        duration_seconds=SPOKEN.duration_seconds,
        **finding_fields(SPOKEN.report),
    )
    examples = rendered(native.FORMATS.values(), native.Answer(SPOKEN, body, GRANULARITIES))
    silent = body.model_copy(update={"text": "", **finding_fields(SILENT.report)})
    warned = native.Answer(SILENT, silent, GRANULARITIES)
    examples[200, JSON] += rendered([native.FORMATS["json"]], warned, ", a warning")[200, JSON]
    return examples


def _openai_answers() -> Answers:
    examples = rendered(openai.FORMATS.values(), openai.Answer(SPOKEN, KOREAN, GRANULARITIES))
    with_logprobs = openai.Answer(SPOKEN, KOREAN, with_logprobs=True)
    logprobs = rendered([openai.FORMATS["json"]], with_logprobs, ", include[]=logprobs")
    examples[200, JSON] += logprobs[200, JSON]
    return examples | {(200, EventStream.media_type): _events()}


def _whisper_answers() -> Answers:
    examples = rendered(whisper.OUTPUTS.values(), whisper.Answer(SPOKEN, KOREAN, False))
    with_words = whisper.Answer(SPOKEN, KOREAN, True)
    words = rendered([whisper.OUTPUTS["json"]], with_words, ", word_timestamps=true")
    examples[200, JSON] += words[200, JSON]
    return examples


def _events() -> Examples:
    deltas = [delta_event(word, begins_text=index == 0) for index, word in enumerate(SPOKEN.words)]
    timed = done_event(SPOKEN, GRANULARITIES)
    return [
        ("stream=true", "".join([*deltas, done_event(SPOKEN, frozenset())])),
        ("stream=true, timestamp_granularities[]", "".join([*deltas, timed])),
    ]
