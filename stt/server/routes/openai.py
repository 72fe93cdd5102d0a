"""OpenAI's routes. Its clients only need another ``base_url``."""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Form, Response, UploadFile
from fastapi.concurrency import run_in_threadpool

from stt.asked import Asked
from stt.errors import InvalidParameter, UnknownModel
from stt.formats.base import Granularity
from stt.formats.layout import Layout
from stt.formats.openai import (
    FORMATS,
    Answer,
    Model,
    ModelList,
    Transcription,
    TranscriptionVerbose,
)
from stt.languages import Language
from stt.server.problems import OPENAI_PROBLEMS
from stt.server.routes.forms import UploadRoute
from stt.server.routes.uploads import (
    ABOUT_TRACK,
    TRACK,
    LanguageName,
    ModelName,
    OneOf,
    document,
    requested_decoding,
    requested_granularities,
    requested_layout,
    respond,
    spoken_language,
)
from stt.server.schemas import OpenAIError
from stt.server.sse import EventStream, stream_events
from stt.server.state import Service, get_service

router = APIRouter(prefix="/v1", tags=["OpenAI-compatible"], route_class=UploadRoute)

Use = Annotated[Service, Depends(get_service)]
UNKNOWN_MODEL: dict[int | str, dict[str, Any]] = {
    401: OPENAI_PROBLEMS[401],
    404: {"model": OpenAIError, "description": "`model_not_found`."},
}
ANSWERS = document(FORMATS.values())
ANSWERS[200]["content"][EventStream.media_type] = {"schema": {"type": "string"}}
STREAMABLE = ("json", "text")


async def requested_logprobs(
    include: Annotated[
        list[str],
        Form(default_factory=list, description="`logprobs`, for `json`. `include[]` is the same."),
    ],
) -> bool:
    """FastAPI dependency: whether the form includes `logprobs`."""
    return "logprobs" in {name.strip() for value in include for name in value.split(",")}


def check_streamable(response_format: str, asked: Asked) -> None:
    """Check that words can be sent as soon as they are final.

    Raises:
        InvalidParameter: they cannot.
    """
    if response_format not in STREAMABLE:
        raise InvalidParameter(
            f"response_format {response_format!r} cannot be streamed. With stream=true, send "
            "'json' or 'text', or leave it out."
        )
    if asked.channels == "split":
        raise InvalidParameter(
            "channels='split' cannot be streamed: a word is sent as soon as it is final, and those "
            "of one channel may be final before earlier ones of another. Leave stream out."
        )


@router.post(
    "/audio/transcriptions",
    response_model=Transcription | TranscriptionVerbose,
    responses=OPENAI_PROBLEMS | ANSWERS,
)
async def create_transcription(
    service: Use,
    file: Annotated[UploadFile, File(description="The recording, in any accepted format.")],
    granularities: Annotated[frozenset[Granularity], Depends(requested_granularities)],
    with_logprobs: Annotated[bool, Depends(requested_logprobs)],
    asked: Annotated[Asked, Depends(requested_decoding)],
    layout: Annotated[Layout, Depends(requested_layout)],
    model: ModelName = "",
    language: LanguageName = None,
    response_format: Annotated[
        str, OneOf(FORMATS), Form(description="Format of the answer.")
    ] = "json",
    stream: Annotated[
        bool, Form(description="Send words as server-sent events as soon as they are final.")
    ] = False,
    track: Annotated[int | None, TRACK, Form(description=ABOUT_TRACK)] = None,
    prompt: Annotated[
        str, Form(description="A list of words, separated by commas: hotwords. Prose is not used.")
    ] = "",
    temperature: Annotated[float, Form(description="Ignored: CTC models do not sample.")] = 0.0,
) -> Response:
    """Transcribe one recording of any length. Unlisted fields are ignored."""
    spoken = spoken_language(service.languages, model, language)
    engine = await service.engines.acquire(spoken)
    plan = await service.plan(spoken, engine, replace(asked, prompt=prompt))
    if stream:
        check_streamable(response_format, asked)
        return await stream_events(
            service.transcriber.words(file.file, engine, plan, track),
            granularities,
            with_logprobs=with_logprobs,
            keep_alive_seconds=service.settings.keep_alive_seconds,
        )
    transcript = await service.transcriber.transcribe(file.file, engine, plan, track)
    answer = Answer(transcript, spoken, granularities, with_logprobs, layout)
    return await respond(FORMATS[response_format], answer)


@router.get("/models", responses={401: OPENAI_PROBLEMS[401]})
async def list_models(service: Use) -> ModelList:
    """The served models."""
    return ModelList(data=[await _model(service, each) for each in service.languages])


@router.get("/models/{model:path}", responses=UNKNOWN_MODEL)
async def retrieve_model(service: Use, model: str) -> Model:
    """One served model, by its id or its language code."""
    language = service.languages.find_model(model)
    if language is None:
        known = ", ".join(each.model.name for each in service.languages)
        raise UnknownModel(f"Model {model[:80]!r} is not served. Served: {known}.")
    return await _model(service, language)


async def _model(service: Service, language: Language) -> Model:
    evaluations = await run_in_threadpool(service.evaluations, language)  # reads a file
    return Model.of(language, evaluations)
