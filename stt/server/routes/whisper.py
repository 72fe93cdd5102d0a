"""Routes of whisper-asr-webservice, so that subtitle tools made for it can call this one."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Query, Response, UploadFile
from fastapi.concurrency import run_in_threadpool

from stt.errors import NotSupported
from stt.formats.whisper import Output, Result, render
from stt.server.routes.uploads import only_one
from stt.server.schemas import PROBLEMS
from stt.server.state import Service, get_service

router = APIRouter(tags=["whisper-asr-webservice"])

Use = Annotated[Service, Depends(get_service)]
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
}
NEVER: dict[int | str, dict[str, Any]] = {
    status: PROBLEMS[status] for status in (400, 401, 429, 503)
}


@router.post(
    "/asr",
    response_model=Result,
    responses=PROBLEMS | ANSWERS,
    dependencies=[Depends(only_one("audio_file"))],
)
async def asr(
    service: Use,
    audio_file: Annotated[UploadFile, File(description="The recording.")],
    task: Annotated[str, Query(description="Only `transcribe`.")] = "transcribe",
    language: Annotated[str | None, Query(description="ISO 639-1 or any alias.")] = None,
    output: Annotated[Output, Query(description="What the answer looks like.")] = Output.TXT,
    word_timestamps: Annotated[bool, Query(description="Words in `json`.")] = False,
) -> Response:
    """Transcribe one recording, as whisper-asr-webservice does.

    Other parameters of it (`encode`, `initial_prompt`, `vad_filter` ...) are without effect.
    """
    if task != "transcribe":
        raise NotSupported(
            f"task={task[:40]!r} is not possible: these models write down what they hear and do "
            "not translate. Leave `task` out, or send transcribe."
        )
    spoken = service.languages.resolve(language)
    engine = service.engines.engine(spoken)
    transcript = await service.transcriber.transcribe(audio_file.file, engine)
    return await run_in_threadpool(render, transcript, spoken, output, word_timestamps)


@router.post("/detect-language", status_code=400, response_model=None, responses=NEVER)
async def detect_language(service: Use) -> dict[str, str]:
    """Always 400: each model knows one language and cannot tell which one is spoken."""
    raise NotSupported(
        "The language cannot be detected: each model here knows one language only. Name it, as "
        f"language= with /asr. Served: {', '.join(each.iso_639_1 for each in service.languages)}."
    )
