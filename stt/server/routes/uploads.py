"""Form fields and answers that the upload routes share."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

from annotated_types import Interval
from fastapi import Depends, Form, Query, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BeforeValidator
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from stt.activity.detectors import Vad
from stt.asked import MAX_SPEAKERS, Asked, Spacing
from stt.audio.channels import Channels
from stt.errors import InvalidParameter
from stt.formats.base import JSON, AnswerT, Format, Granularity
from stt.formats.findings import TRACK_HEADER, WARNINGS_HEADER, finding_headers
from stt.formats.layout import (
    LINE_COLUMNS,
    LINES,
    MAX_LINE_COLUMNS,
    MAX_LINES,
    MIN_LINE_COLUMNS,
    Layout,
)
from stt.formats.table import SPEAKER_FORMATS
from stt.languages import Language, Languages
from stt.recognition.written_forms import names

TRACK = Interval(ge=1, le=1000)
ABOUT_TRACK = (
    "Number of the audio track, from 1. Default: the one flagged as default, or the first that has "
    "sound and can be decoded."
)


ModelName: TypeAlias = Annotated[
    str, Form(description="Language code or model id. Any other name selects the default model.")
]
"""``model`` of OpenAI's forms."""
LanguageName: TypeAlias = Annotated[
    str | None, Form(description="ISO 639-1 code or any alias. Takes precedence over `model`.")
]
"""``language`` of OpenAI's forms."""
ABOUT_HOTWORDS = (
    "Words and names that the recording is likely to have, separated by commas or lines. "
    "`word:2` counts twice as much."
)
ABOUT_LANGUAGE_MODEL = "Whether to use the language model. Default: as the service is set."
ABOUT_WRITTEN = (
    "Whether numbers are written as people write them: 3시 for 세 시, 25% for twenty five percent. "
    f"Only in {names()}."
)
ABOUT_SPACING = (
    "`restored` splits long words where the model left out spaces, only in Korean; `model` leaves "
    "them as they are."
)

ABOUT_VAD = (
    "`auto`: long pauses are not computed; `off`: every second is. Default: as the service is set."
)
ABOUT_CHANNELS = (
    "`split` transcribes each channel separately, for calls with a speaker on each, and returns "
    "one conversation, whose words and segments have a `channel`. `mix` mixes the channels."
)
ABOUT_DIARIZE = (
    "Whether to tell speakers on one channel apart: words and segments then have a `speaker`. The "
    "service needs speaker models for it."
)
N_SPEAKERS = Interval(ge=1, le=MAX_SPEAKERS)
ABOUT_N_SPEAKERS = (
    f"How many speakers there are, 1 to {MAX_SPEAKERS}, for `diarize`. Default: estimated."
)
LINE_WIDTH = Interval(ge=MIN_LINE_COLUMNS, le=MAX_LINE_COLUMNS)
ABOUT_LINE_WIDTH = (
    f"Columns of a line in `srt` and `vtt`, {MIN_LINE_COLUMNS} to {MAX_LINE_COLUMNS}; a Hangul "
    f"syllable takes two. Default: {LINE_COLUMNS}."
)
LINE_COUNT = Interval(ge=1, le=MAX_LINES)
ABOUT_LINE_COUNT = f"Lines of a cue in `srt` and `vtt`, 1 to {MAX_LINES}. Default: {LINES}."
SAME = "The same; the form field takes precedence."


@dataclass(frozen=True)
class OneOf:
    """Annotation of a field: accepts only these names."""

    names: Iterable[str]

    def __get_pydantic_core_schema__(self, source: object, handler: object) -> CoreSchema:
        """The type that pydantic validates and OpenAPI shows."""
        return core_schema.literal_schema(list(self.names))


def parse_granularities(values: list[Any]) -> list[Granularity]:
    """Granularities as forms send them: repeated, separated by commas, or both.

    Raises:
        PydanticCustomError: a name is unknown.
    """
    names = [name.strip() for value in values for name in str(value).split(",")]
    try:
        return [Granularity(name) for name in names if name]
    except ValueError:
        allowed = " or ".join(repr(each.value) for each in Granularity)
        raise PydanticCustomError("enum", f"Input should be {allowed}") from None


Granularities = Annotated[list[Granularity], BeforeValidator(parse_granularities)]


async def requested_language(
    lang: Annotated[
        str | None,
        Form(description="Language code or alias, in any case.", examples=["KR", "ko", "en-US"]),
    ] = None,
    lang_in_query: Annotated[
        str | None,
        Query(alias="lang", description="Language code or alias. The form field takes precedence."),
    ] = None,
) -> str | None:
    """FastAPI dependency: the language that the form or the query names."""
    return lang or lang_in_query


async def requested_track(
    track: Annotated[int | None, TRACK, Form(description=ABOUT_TRACK)] = None,
    track_in_query: Annotated[int | None, TRACK, Query(alias="track", description=SAME)] = None,
) -> int | None:
    """FastAPI dependency: the audio track that the form or the query names."""
    return track or track_in_query


async def requested_granularities(
    granularities: Annotated[
        Granularities,
        Form(
            alias="timestamp_granularities",
            default_factory=list,
            description="Times in `verbose_json`, repeated or separated by commas. Segments are "
            "always included, words if `word` or nothing is requested. "
            "`timestamp_granularities[]` is the same.",
        ),
    ],
) -> frozenset[Granularity]:
    """FastAPI dependency: the granularities; empty if the form has none."""
    return frozenset(granularities)


async def requested_decoding(
    hotwords: Annotated[str, Form(description=ABOUT_HOTWORDS)] = "",
    language_model: Annotated[bool | None, Form(description=ABOUT_LANGUAGE_MODEL)] = None,
    written: Annotated[bool, Form(description=ABOUT_WRITTEN)] = False,
    spacing: Annotated[Spacing, Form(description=ABOUT_SPACING)] = "model",
    vad: Annotated[Vad | None, Form(description=ABOUT_VAD)] = None,
    channels: Annotated[Channels, Form(description=ABOUT_CHANNELS)] = "mix",
    diarize: Annotated[bool, Form(description=ABOUT_DIARIZE)] = False,
    num_speakers: Annotated[int | None, N_SPEAKERS, Form(description=ABOUT_N_SPEAKERS)] = None,
) -> Asked:
    """FastAPI dependency: what the form asks of the decoding and the words."""
    return Asked(
        hotwords,
        language_model,
        written=written,
        spacing=spacing,
        vad=vad,
        channels=channels,
        diarize=diarize,
        num_speakers=num_speakers,
    )


async def requested_decoding_in_query(
    asked: Annotated[Asked, Depends(requested_decoding)],
    hotwords: Annotated[str, Query(description=SAME)] = "",
    language_model: Annotated[bool | None, Query(description=SAME)] = None,
    written: Annotated[bool, Query(description="The same; either counts.")] = False,
    spacing: Annotated[
        Spacing, Query(description="The same; `restored` in either counts.")
    ] = "model",
    vad: Annotated[Vad | None, Query(description=SAME)] = None,
    channels: Annotated[Channels, Query(description="The same; `split` in either counts.")] = "mix",
    diarize: Annotated[bool, Query(description="The same; either counts.")] = False,
    num_speakers: Annotated[int | None, N_SPEAKERS, Query(description=SAME)] = None,
) -> Asked:
    """FastAPI dependency: what the form or the query asks of the decoding and the words."""
    wanted = language_model if asked.language_model is None else asked.language_model
    return Asked(
        asked.hotwords or hotwords,
        wanted,
        written=asked.written or written,
        spacing=spacing if asked.spacing == "model" else asked.spacing,
        vad=asked.vad or vad,
        channels=channels if asked.channels == "mix" else asked.channels,
        diarize=asked.diarize or diarize,
        num_speakers=asked.num_speakers or num_speakers,
    )


async def requested_layout(
    max_line_width: Annotated[int | None, LINE_WIDTH, Form(description=ABOUT_LINE_WIDTH)] = None,
    max_line_count: Annotated[int | None, LINE_COUNT, Form(description=ABOUT_LINE_COUNT)] = None,
) -> Layout:
    """FastAPI dependency: the subtitles that the form asks for."""
    return Layout(max_line_width or LINE_COLUMNS, max_line_count or LINES)


async def requested_layout_in_query(
    form_width: Annotated[
        int | None, LINE_WIDTH, Form(alias="max_line_width", description=ABOUT_LINE_WIDTH)
    ] = None,
    form_count: Annotated[
        int | None, LINE_COUNT, Form(alias="max_line_count", description=ABOUT_LINE_COUNT)
    ] = None,
    max_line_width: Annotated[int | None, LINE_WIDTH, Query(description=SAME)] = None,
    max_line_count: Annotated[int | None, LINE_COUNT, Query(description=SAME)] = None,
) -> Layout:
    """FastAPI dependency: the subtitles that the form or the query asks for."""
    return await requested_layout(form_width or max_line_width, form_count or max_line_count)


def check_format(response_format: str, asked: Asked) -> None:
    """Check that the answer has what its format needs.

    Raises:
        InvalidParameter: the format says who speaks, and speakers are not told apart.
    """
    if response_format in SPEAKER_FORMATS and not asked.tells_apart:
        raise InvalidParameter(
            f"response_format {response_format!r} says who speaks, so it needs diarize=true, or "
            "channels=split if each speaker has a channel."
        )


def spoken_language(languages: Languages, model: str, language: str | None) -> Language:
    """The language that OpenAI's fields name.

    Raises:
        UnsupportedLanguage: the field ``language`` names none that is served.
    """
    if language and language.strip():
        return languages.resolve(language)
    return languages.find_model(model) or languages.default


async def respond(response_format: Format[AnswerT], answer: AnswerT) -> Response:
    """Render the answer outside the event loop."""
    content = await run_in_threadpool(response_format.render, answer)
    headers = finding_headers(answer.transcript.report)
    return Response(content, headers=headers, media_type=response_format.content_type)


def document(formats: Iterable[Format[AnswerT]]) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI entry for the formats other than JSON."""
    media_types = dict.fromkeys(each.media_type for each in formats if each.media_type != JSON)
    return {
        200: {
            "description": "The transcript in the requested format.",
            "content": {each: {"schema": {"type": "string"}} for each in media_types},
            "headers": {
                WARNINGS_HEADER: {
                    "description": "The codes of the answer's warnings, if there are any.",
                    "schema": {"type": "string"},
                },
                TRACK_HEADER: {
                    "description": "Number of the audio track / of tracks, if there are several.",
                    "schema": {"type": "string"},
                },
            },
        }
    }
