"""The formats of an answer: which there are, how one is asked for, how a transcript becomes it."""

import math
import sys
import zlib
from collections.abc import Callable, Set
from enum import StrEnum
from typing import Annotated, Any

from fastapi import Form, Response
from pydantic import BaseModel, BeforeValidator
from pydantic_core import PydanticCustomError

from stt.formats.captions import to_srt, to_vtt
from stt.formats.schemas import (
    SegmentEntry,
    TranscriptionResponse,
    VerboseTranscriptionResponse,
    WordEntry,
)
from stt.recognition.segments import split_segments
from stt.types import Segment, Transcript


class ResponseFormat(StrEnum):
    """What the answer to a transcription looks like; the names are OpenAI's."""

    JSON = "json"
    TEXT = "text"
    SRT = "srt"
    VTT = "vtt"
    VERBOSE_JSON = "verbose_json"


class Granularity(StrEnum):
    """What `verbose_json` gives times for."""

    WORD = "word"
    SEGMENT = "segment"


TEXTS: dict[ResponseFormat, tuple[str, Callable[[Transcript], str]]] = {
    ResponseFormat.TEXT: ("text/plain", lambda transcript: transcript.text),
    ResponseFormat.SRT: ("application/x-subrip", to_srt),
    ResponseFormat.VTT: ("text/vtt", to_vtt),
}
"""Media type and making of the formats that are not JSON; all are UTF-8."""

ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The transcript, in the format that was asked for.",
        "content": {media_type: {"schema": {"type": "string"}} for media_type, _ in TEXTS.values()},
    }
}
"""For the OpenAPI page: what a route answers besides JSON."""


def parse_granularities(values: list[Any]) -> list[Granularity]:
    """Granularities as forms send them: repeated, separated by commas, or both.

    Raises:
        PydanticCustomError: there is no such granularity.
    """
    names = [name.strip() for value in values for name in str(value).split(",")]
    try:
        return [Granularity(name) for name in names if name]
    except ValueError:
        allowed = " or ".join(repr(each.value) for each in Granularity)
        raise PydanticCustomError("enum", f"Input should be {allowed}") from None


Granularities = Annotated[list[Granularity], BeforeValidator(parse_granularities)]


def asked_granularities(
    bare: Annotated[
        Granularities,
        Form(
            alias="timestamp_granularities",
            default_factory=list,
            description="What `verbose_json` gives times for; repeated or separated by commas. "
            "Segments are always there, words where `word` or nothing was asked for.",
        ),
    ],
    bracketed: Annotated[
        Granularities,
        Form(
            alias="timestamp_granularities[]",
            default_factory=list,
            description="The same, as OpenAI's clients call it.",
        ),
    ],
) -> frozenset[Granularity]:
    """FastAPI dependency: the granularities under both names; empty where none was asked for."""
    return frozenset(bare + bracketed)


def render(
    transcript: Transcript,
    answer: TranscriptionResponse,
    response_format: ResponseFormat,
    granularities: Set[Granularity],
) -> Response:
    """The answer of the native route. Takes a second for hours of speech: not for the event loop.

    Args:
        transcript: What was said.
        answer: The same as `json` has it.
        response_format: What it is to look like.
        granularities: As from `asked_granularities`; only `verbose_json` looks at them.
    """
    if response_format in TEXTS:
        return text_response(transcript, response_format)
    if response_format is ResponseFormat.VERBOSE_JSON:
        wants_words = not granularities or Granularity.WORD in granularities
        answer = VerboseTranscriptionResponse(
            **answer.model_dump(),
            duration=answer.duration_seconds,
            segments=segment_entries(transcript),
            words=word_entries(transcript) if wants_words else None,
        )
    return json_response(answer)


def text_response(transcript: Transcript, response_format: ResponseFormat) -> Response:
    """The answer in one of the formats of `TEXTS`."""
    media_type, make = TEXTS[response_format]
    return Response(make(transcript), media_type=f"{media_type}; charset=utf-8")


def json_response(answer: BaseModel) -> Response:
    """A model as JSON; keys that are None are left out."""
    return Response(answer.model_dump_json(exclude_none=True), media_type="application/json")


def word_entries(transcript: Transcript) -> list[WordEntry]:
    """All words, as `verbose_json` has them; times to the millisecond."""
    return [
        WordEntry(
            word=word.text,
            start=round(word.start, 3),
            end=round(word.end, 3),
            confidence=round(word.confidence, 4),
        )
        for word in transcript.words
    ]


def segment_entries(transcript: Transcript) -> list[SegmentEntry]:
    """All segments, as `verbose_json` has them; times to the millisecond."""
    return [
        SegmentEntry(
            id=index,
            seek=0,
            start=round(segment.start, 3),
            end=round(segment.end, 3),
            text=segment.text,
            tokens=[],
            temperature=0.0,
            avg_logprob=round(_mean_log(segment), 4),
            compression_ratio=round(_compression_ratio(segment.text), 4),
            no_speech_prob=0.0,
        )
        for index, segment in enumerate(split_segments(transcript.words))
    ]


def _mean_log(segment: Segment) -> float:
    """Natural logarithm; JSON has no infinity, so a confidence of 0 is the least positive one."""
    logs = [math.log(max(word.confidence, sys.float_info.min)) for word in segment.words]
    return sum(logs) / len(logs)


def _compression_ratio(text: str) -> float:
    """As in openai/whisper, ``utils.py``."""
    data = text.encode()
    return len(data) / len(zlib.compress(data))
