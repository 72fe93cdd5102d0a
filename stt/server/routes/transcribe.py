"""``POST /transcribe``."""

import time
from typing import Annotated

from fastapi import APIRouter, Depends, File, Form, Response, UploadFile

from stt.asked import Asked
from stt.formats.base import Granularity
from stt.formats.layout import Layout
from stt.formats.native import FORMATS, Answer, TranscriptionResponse, VerboseTranscriptionResponse
from stt.server.problems import PROBLEMS
from stt.server.routes.forms import UploadRoute
from stt.server.routes.uploads import (
    OneOf,
    check_format,
    document,
    requested_decoding_in_query,
    requested_granularities,
    requested_language,
    requested_layout_in_query,
    requested_track,
    respond,
)
from stt.server.state import Service, get_service

router = APIRouter(tags=["transcription"], route_class=UploadRoute)


@router.post(
    "/transcribe",
    response_model=TranscriptionResponse | VerboseTranscriptionResponse,
    responses=PROBLEMS | document(FORMATS.values()),
)
async def transcribe(
    service: Annotated[Service, Depends(get_service)],
    file: Annotated[UploadFile, File(description="The recording, in any accepted format.")],
    granularities: Annotated[frozenset[Granularity], Depends(requested_granularities)],
    asked: Annotated[Asked, Depends(requested_decoding_in_query)],
    lang: Annotated[str | None, Depends(requested_language)],
    track: Annotated[int | None, Depends(requested_track)],
    layout: Annotated[Layout, Depends(requested_layout_in_query)],
    response_format: Annotated[
        str, OneOf(FORMATS), Form(description="Format of the answer.")
    ] = "json",
) -> Response:
    """Transcribe one recording of any length.

    Accepts WAV, FLAC, OGG (Vorbis, Opus), MP3, M4A/AAC, MP4, MOV, 3GP, WebM, MKV, AMR, AIFF, CAF,
    AU, WMA, AVI and TS, recognised by content. `warnings` says what is missing or doubtful, and
    why a text is empty. Instead of a form, the body can be the recording, with an audio content
    type and the fields in the query.
    """
    started = time.perf_counter()
    language = service.languages.resolve(lang)
    check_format(response_format, asked)
    engine = await service.engines.acquire(language)
    plan = await service.plan(language, engine, asked)
    transcript = await service.transcriber.transcribe(file.file, engine, plan, track)
    body = TranscriptionResponse.of(
        transcript,
        language=language.code,
        model=language.model.name,
        seconds=time.perf_counter() - started,
        device=engine.device,
        cpu_threads=service.cpu_threads,
    )
    return await respond(FORMATS[response_format], Answer(transcript, body, granularities, layout))
