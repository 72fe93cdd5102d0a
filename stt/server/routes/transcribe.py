"""``POST /transcribe``: an upload becomes text."""

import time
from typing import Annotated

from fastapi import APIRouter, Depends, File, Form, Query, Response, UploadFile
from fastapi.concurrency import run_in_threadpool

from stt.formats.native import ANSWERS, Granularity, ResponseFormat, asked_granularities, render
from stt.formats.schemas import TranscriptionResponse, VerboseTranscriptionResponse
from stt.server.routes.uploads import only_one
from stt.server.schemas import PROBLEMS
from stt.server.state import Service, get_service

router = APIRouter(tags=["transcription"])


@router.post(
    "/transcribe",
    response_model=TranscriptionResponse | VerboseTranscriptionResponse,
    responses=PROBLEMS | ANSWERS,
    dependencies=[Depends(only_one("file"))],
)
async def transcribe(
    service: Annotated[Service, Depends(get_service)],
    file: Annotated[UploadFile, File(description="The recording, in any accepted format.")],
    granularities: Annotated[frozenset[Granularity], Depends(asked_granularities)],
    lang: Annotated[
        str | None,
        Form(description="Language code or alias, in any case.", examples=["KR", "ko", "en-US"]),
    ] = None,
    response_format: Annotated[
        ResponseFormat, Form(description="What the answer looks like.")
    ] = ResponseFormat.JSON,
    lang_in_query: Annotated[
        str | None,
        Query(alias="lang", description="The same, for clients that cannot send form fields."),
    ] = None,
) -> Response:
    """Transcribe one recording of any length.

    Accepted: WAV, FLAC, OGG (Vorbis, Opus), MP3, M4A/AAC, MP4, 3GP, WebM and AMR, told by their
    content. A recording too short to hold a word gives an empty text.
    """
    started = time.perf_counter()
    language = service.languages.resolve(lang or lang_in_query)
    engine = service.engines.engine(language)
    transcript = await service.transcriber.transcribe(file.file, engine)
    answer = TranscriptionResponse(
        text=transcript.text,
        language=language.code,
        model=language.model.id,
        processing_time_seconds=round(time.perf_counter() - started, 4),
        device=engine.device,
        cpu_threads=service.cpu_threads,
        duration_seconds=round(transcript.duration_seconds, 3),
    )
    return await run_in_threadpool(render, transcript, answer, response_format, granularities)
