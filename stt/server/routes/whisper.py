"""Routes of whisper-asr-webservice, for subtitle tools written for it."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Query, Response, UploadFile

from stt.errors import NotSupported
from stt.formats.whisper import OUTPUTS, Answer, Result
from stt.server.problems import PROBLEMS
from stt.server.routes.uploads import ABOUT_TRACK, TRACK, OneOf, document, only_one, respond
from stt.server.state import Service, get_service

router = APIRouter(tags=["whisper-asr-webservice"])

Use = Annotated[Service, Depends(get_service)]
NOT_SUPPORTED: dict[int | str, dict[str, Any]] = {
    status: PROBLEMS[status] for status in (400, 401, 429, 503)
}


@router.post(
    "/asr",
    response_model=Result,
    responses=PROBLEMS | document(OUTPUTS.values()),
    dependencies=[Depends(only_one("audio_file"))],
)
async def asr(
    service: Use,
    audio_file: Annotated[UploadFile, File(description="The recording.")],
    task: Annotated[str, Query(description="Only `transcribe`.")] = "transcribe",
    language: Annotated[str | None, Query(description="ISO 639-1 code or any alias.")] = None,
    output: Annotated[str, OneOf(OUTPUTS), Query(description="Format of the answer.")] = "txt",
    word_timestamps: Annotated[bool, Query(description="Include words in `json`.")] = False,
    track: Annotated[int | None, TRACK, Query(description=ABOUT_TRACK)] = None,
) -> Response:
    """Transcribe one recording.

    The other parameters of whisper-asr-webservice, such as `encode`, are ignored.
    """
    if task != "transcribe":
        raise NotSupported(
            f"task={task[:40]!r} is not supported: these models cannot translate. Leave task out "
            "or send task=transcribe."
        )
    spoken = service.languages.resolve(language)
    engine = service.engines.engine(spoken)
    transcript = await service.transcriber.transcribe(audio_file.file, engine, track)
    return await respond(OUTPUTS[output], Answer(transcript, spoken, word_timestamps))


@router.post("/detect-language", status_code=400, response_model=None, responses=NOT_SUPPORTED)
async def detect_language(service: Use) -> dict[str, str]:
    """Always 400: each model knows one language and cannot detect others."""
    raise NotSupported(
        "Language detection is not supported: each model knows one language. Send language= to "
        f"/asr. Served: {', '.join(each.iso_639_1 for each in service.languages)}."
    )
