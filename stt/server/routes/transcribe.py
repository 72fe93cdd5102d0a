"""``POST /transcribe``."""

import time
from typing import Annotated

from fastapi import APIRouter, Depends, File, Form, Query, Response, UploadFile

from stt.asked import Asked
from stt.formats.base import Granularity
from stt.formats.findings import finding_fields
from stt.formats.layout import Layout
from stt.formats.native import FORMATS, Answer, TranscriptionResponse, VerboseTranscriptionResponse
from stt.server.problems import PROBLEMS
from stt.server.routes.forms import UploadRoute
from stt.server.routes.uploads import (
    ABOUT_TRACK,
    TRACK,
    OneOf,
    document,
    requested_decoding_in_query,
    requested_granularities,
    requested_layout_in_query,
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
    layout: Annotated[Layout, Depends(requested_layout_in_query)],
    lang: Annotated[
        str | None,
        Form(description="Language code or alias, in any case.", examples=["KR", "ko", "en-US"]),
    ] = None,
    response_format: Annotated[
        str, OneOf(FORMATS), Form(description="Format of the answer.")
    ] = "json",
    lang_in_query: Annotated[
        str | None,
        Query(alias="lang", description="Language code or alias. The form field takes precedence."),
    ] = None,
    track: Annotated[int | None, TRACK, Form(description=ABOUT_TRACK)] = None,
    track_in_query: Annotated[
        int | None, TRACK, Query(alias="track", description="The same; the form field comes first.")
    ] = None,
) -> Response:
    """Transcribe one recording of any length.

    Accepts WAV, FLAC, OGG (Vorbis, Opus), MP3, M4A/AAC, MP4, MOV, 3GP, WebM, MKV, AMR, AIFF, CAF,
    AU, WMA, AVI and TS, recognised by content. `warnings` says what is missing or doubtful, and
    why a text is empty. Instead of a form, the body can be the recording, with an audio content
    type and the fields in the query.
    """
    started = time.perf_counter()
    language = service.languages.resolve(lang or lang_in_query)
    engine = await service.engines.acquire(language)
    plan = await service.plan(language, engine, asked)
    transcript = await service.transcriber.transcribe(
        file.file, engine, plan, track or track_in_query
    )
    body = TranscriptionResponse(
        text=transcript.text,
        language=language.code,
        model=language.model.name,
        processing_time_seconds=round(time.perf_counter() - started, 4),
        device=engine.device,
        cpu_threads=service.cpu_threads,
        duration_seconds=round(transcript.duration_seconds, 3),
        **finding_fields(transcript.report),
    )
    return await respond(FORMATS[response_format], Answer(transcript, body, granularities, layout))
