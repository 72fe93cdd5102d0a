"""Whisper's output formats, as whisper-asr-webservice returns them.

See https://github.com/ahmetoner/whisper-asr-webservice and openai/whisper's ``utils.py``.
"""

from dataclasses import dataclass, replace

from pydantic import BaseModel, Field

from stt.formats.base import JSON, Format, HasTranscript, by_name, to_json
from stt.formats.findings import Findings, finding_fields
from stt.formats.labels import labelled_text
from stt.formats.layout import LAYOUT, Layout
from stt.formats.srt import SRT
from stt.formats.verbose import ABOUT_CHANNEL, SegmentEntry, segment_entries
from stt.formats.vtt import VTT
from stt.languages import Language
from stt.recognition.segments import split_segments
from stt.types import Transcript

PLAIN = "text/plain"
"""Media type of every output but JSON, as in the original."""


class TimedWord(BaseModel):
    """One word, in Whisper's keys."""

    word: str = Field(description="With the space before it: the words, joined, are the text.")
    start: float = Field(description="Seconds from the start of the recording.")
    end: float = Field(description="Seconds from the start of the recording.")
    probability: float = Field(description="The `confidence` of `/transcribe`.")
    spoken: str | None = Field(
        None, description="Ours: what was said, if `word` is its written form; else omitted."
    )
    channel: int | None = Field(None, description=ABOUT_CHANNEL)


class TimedSegment(SegmentEntry):
    """One segment, in Whisper's keys."""

    words: list[TimedWord] | None = Field(None, description="If `word_timestamps` requests them.")


class Result(Findings):
    """The result of Whisper's ``transcribe``."""

    text: str
    segments: list[TimedSegment]
    language: str = Field(description="ISO 639-1.")


class DetectedLanguage(BaseModel):
    """The answer of ``/detect-language``."""

    detected_language: str = Field(description="The English name, in lower case.")
    language_code: str = Field(description="ISO 639-1.")
    confidence: float

    @classmethod
    def of(cls, language: Language, confidence: float) -> "DetectedLanguage":
        """That of a language."""
        return cls(
            detected_language=language.name.lower(),
            language_code=language.iso_639_1,
            confidence=confidence,
        )


@dataclass(frozen=True)
class Answer:
    """Everything that the outputs need."""

    transcript: Transcript
    language: Language
    word_timestamps: bool
    """Only `json` uses it."""
    layout: Layout = LAYOUT


def _render_txt(answer: HasTranscript) -> str:
    """One line per segment."""
    segments = split_segments(answer.transcript.words)
    return "".join(f"{labelled_text(segment)}\n" for segment in segments)


def _render_tsv(answer: HasTranscript) -> str:
    """A header, then one line per segment; times in whole milliseconds."""
    lines = (
        f"{round(each.start * 1000)}\t{round(each.end * 1000)}\t{labelled_text(each)}\n"
        for each in split_segments(answer.transcript.words)
    )
    return "start\tend\ttext\n" + "".join(lines)


def _render_json(answer: Answer) -> str:
    transcript = answer.transcript
    segments = []
    pairs = zip(segment_entries(transcript), split_segments(transcript.words), strict=True)
    for entry, segment in pairs:
        words = None
        if answer.word_timestamps:
            words = [
                TimedWord(
                    word=word.continued,
                    start=round(word.start, 3),
                    end=round(word.end, 3),
                    probability=round(word.confidence, 4),
                    spoken=word.spoken,
                    channel=word.channel,
                )
                for word in segment.words
            ]
        segments.append(TimedSegment(**entry.model_dump(), words=words))
    code = answer.language.iso_639_1
    found = finding_fields(transcript.report)
    return to_json(Result(text=transcript.text, segments=segments, language=code, **found))


OUTPUTS = by_name(
    Format[Answer]("txt", PLAIN, _render_txt),
    replace(VTT, media_type=PLAIN),
    replace(SRT, media_type=PLAIN),
    Format("tsv", PLAIN, _render_tsv),
    Format("json", JSON, _render_json),
)
"""Every value of `output`."""
