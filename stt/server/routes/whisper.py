"""Routes of whisper-asr-webservice, for subtitle tools written for it."""

from typing import Annotated

from fastapi import APIRouter, Depends, File, Query, Response, UploadFile
from fastapi.concurrency import run_in_threadpool

from stt.activity.detectors import Vad
from stt.asked import Asked, Spacing
from stt.audio.channels import Channels
from stt.audio.headerless import with_header
from stt.errors import NotSupported
from stt.formats.layout import LINE_COLUMNS, LINES, Layout
from stt.formats.whisper import OUTPUTS, Answer, DetectedLanguage, Result
from stt.server.problems import PROBLEMS
from stt.server.routes.forms import UploadRoute
from stt.server.routes.uploads import (
    ABOUT_CHANNELS,
    ABOUT_HOTWORDS,
    ABOUT_LANGUAGE_MODEL,
    ABOUT_LINE_COUNT,
    ABOUT_LINE_WIDTH,
    ABOUT_SPACING,
    ABOUT_TRACK,
    ABOUT_VAD,
    ABOUT_WRITTEN,
    LINE_COUNT,
    LINE_WIDTH,
    TRACK,
    OneOf,
    document,
    respond,
)
from stt.server.state import Service, get_service

router = APIRouter(tags=["whisper-asr-webservice"], route_class=UploadRoute)

Use = Annotated[Service, Depends(get_service)]


@router.post(
    "/asr",
    response_model=Result,
    responses=PROBLEMS | document(OUTPUTS.values()),
)
async def asr(
    service: Use,
    audio_file: Annotated[UploadFile, File(description="The recording.")],
    task: Annotated[str, Query(description="Only `transcribe`.")] = "transcribe",
    language: Annotated[str | None, Query(description="ISO 639-1 code or any alias.")] = None,
    output: Annotated[str, OneOf(OUTPUTS), Query(description="Format of the answer.")] = "txt",
    word_timestamps: Annotated[bool, Query(description="Include words in `json`.")] = False,
    encode: Annotated[
        bool,
        Query(description="`false`: a file without a header is s16le samples, 16 kHz, mono."),
    ] = True,
    track: Annotated[int | None, TRACK, Query(description=ABOUT_TRACK)] = None,
    initial_prompt: Annotated[
        str, Query(description="A list of words, separated by commas: hotwords. Prose is not used.")
    ] = "",
    hotwords: Annotated[str, Query(description=ABOUT_HOTWORDS)] = "",
    language_model: Annotated[bool | None, Query(description=ABOUT_LANGUAGE_MODEL)] = None,
    written: Annotated[bool, Query(description=ABOUT_WRITTEN)] = False,
    spacing: Annotated[Spacing, Query(description=ABOUT_SPACING)] = "model",
    vad: Annotated[Vad | None, Query(description=ABOUT_VAD)] = None,
    channels: Annotated[Channels, Query(description=ABOUT_CHANNELS)] = "mix",
    max_line_width: Annotated[int, LINE_WIDTH, Query(description=ABOUT_LINE_WIDTH)] = LINE_COLUMNS,
    max_line_count: Annotated[int, LINE_COUNT, Query(description=ABOUT_LINE_COUNT)] = LINES,
) -> Response:
    """Transcribe one recording.

    The other parameters of whisper-asr-webservice are ignored.
    """
    if task != "transcribe":
        raise NotSupported(
            f"task={task[:40]!r} is not supported: these models cannot translate. Leave task out "
            "or send task=transcribe."
        )
    spoken = service.languages.resolve(language)
    engine = await service.engines.acquire(spoken)
    asked = Asked(hotwords, language_model, initial_prompt, written, spacing, vad, channels)
    plan = await service.plan(spoken, engine, asked)
    if encode:
        transcript = await service.transcriber.transcribe(audio_file.file, engine, plan, track)
    else:
        with await run_in_threadpool(with_header, audio_file.file) as source:
            transcript = await service.transcriber.transcribe(source, engine, plan, track)
    layout = Layout(max_line_width, max_line_count)
    return await respond(OUTPUTS[output], Answer(transcript, spoken, word_timestamps, layout))


@router.post("/detect-language", responses=PROBLEMS)
async def detect_language(
    service: Use,
    audio_file: Annotated[UploadFile, File(description="The recording; not listened to.")],
) -> DetectedLanguage:
    """The default language: each model knows one language and cannot detect others.

    `confidence` is one divided by the number of served languages.
    """
    return DetectedLanguage.of(service.languages.default, 1 / len(service.languages))
