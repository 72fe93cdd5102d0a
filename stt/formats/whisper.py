"""Whisper's own output formats, as whisper-asr-webservice answers with them.

https://github.com/ahmetoner/whisper-asr-webservice, over openai/whisper's ``utils.py``.
"""

from collections.abc import Callable
from enum import StrEnum

from fastapi import Response
from pydantic import BaseModel, Field

from stt.formats.captions import to_srt, to_vtt
from stt.formats.native import json_response, segment_entries
from stt.formats.schemas import SegmentEntry
from stt.languages import Language
from stt.recognition.segments import split_segments
from stt.types import Transcript


class Output(StrEnum):
    """What an answer of `/asr` looks like."""

    TXT = "txt"
    VTT = "vtt"
    SRT = "srt"
    TSV = "tsv"
    JSON = "json"


class TimedWord(BaseModel):
    """One word, as Whisper has it."""

    word: str = Field(description="With a space before it: joined, the words are the text.")
    start: float = Field(description="Seconds from the start of the recording.")
    end: float = Field(description="Seconds from the start of the recording.")
    probability: float = Field(description="`confidence` of `/transcribe`.")


class TimedSegment(SegmentEntry):
    """One segment, as Whisper has it."""

    words: list[TimedWord] | None = Field(None, description="Where `word_timestamps` asks for it.")


class Result(BaseModel):
    """What Whisper's ``transcribe`` gives."""

    text: str
    segments: list[TimedSegment]
    language: str = Field(description="ISO 639-1.")


def to_txt(transcript: Transcript) -> str:
    """A line for each segment."""
    return "".join(f"{segment.text}\n" for segment in split_segments(transcript.words))


def to_tsv(transcript: Transcript) -> str:
    """A line for each segment after the names of the columns; times in whole milliseconds."""
    rows = ((each.start, each.end, each.text) for each in split_segments(transcript.words))
    lines = (f"{round(start * 1000)}\t{round(end * 1000)}\t{text}\n" for start, end, text in rows)
    return "start\tend\ttext\n" + "".join(lines)


TEXTS: dict[Output, Callable[[Transcript], str]] = {
    Output.TXT: to_txt,
    Output.VTT: to_vtt,
    Output.SRT: to_srt,
    Output.TSV: to_tsv,
}
"""How the outputs are made that are not JSON; all are ``text/plain``, as with the original."""


def render(
    transcript: Transcript, language: Language, output: Output, word_timestamps: bool
) -> Response:
    """The answer of `/asr`. Takes a second for hours of speech: not for the event loop."""
    if output in TEXTS:
        return Response(TEXTS[output](transcript), media_type="text/plain; charset=utf-8")
    segments = []
    pairs = zip(segment_entries(transcript), split_segments(transcript.words), strict=True)
    for entry, segment in pairs:
        words = None
        if word_timestamps:
            words = [
                TimedWord(
                    word=f" {word.text}",
                    start=round(word.start, 3),
                    end=round(word.end, 3),
                    probability=round(word.confidence, 4),
                )
                for word in segment.words
            ]
        segments.append(TimedSegment(**entry.model_dump(), words=words))
    code = language.iso_639_1
    return json_response(Result(text=transcript.text, segments=segments, language=code))
