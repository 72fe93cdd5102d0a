"""OpenAI's routes, so that its clients work here by their ``base_url`` alone."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Form, Response, UploadFile
from fastapi.concurrency import run_in_threadpool

from stt.errors import InvalidParameter, UnknownModel
from stt.formats.native import ANSWERS, Granularity, ResponseFormat, asked_granularities
from stt.formats.openai import (
    Model,
    ModelList,
    Transcription,
    TranscriptionVerbose,
    asked_logprobs,
    render,
)
from stt.server.routes.uploads import only_one
from stt.server.schemas import OPENAI_PROBLEMS, OpenAIError
from stt.server.sse import EventStream, stream_events
from stt.server.state import Service, get_service

router = APIRouter(prefix="/v1", tags=["OpenAI-compatible"])

Use = Annotated[Service, Depends(get_service)]
UNKNOWN_MODEL: dict[int | str, dict[str, Any]] = {
    401: OPENAI_PROBLEMS[401],
    404: {"model": OpenAIError, "description": "`model_not_found`."},
}
STREAMED_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        **ANSWERS[200],
        "content": ANSWERS[200]["content"]
        | {EventStream.media_type: {"schema": {"type": "string"}}},
    }
}
"""For the OpenAPI page."""
STREAMED = (ResponseFormat.JSON, ResponseFormat.TEXT)


@router.post(
    "/audio/transcriptions",
    response_model=Transcription | TranscriptionVerbose,
    responses=OPENAI_PROBLEMS | STREAMED_ANSWERS,
    dependencies=[Depends(only_one("file"))],
)
async def create_transcription(
    service: Use,
    file: Annotated[UploadFile, File(description="The recording, in any accepted format.")],
    granularities: Annotated[frozenset[Granularity], Depends(asked_granularities)],
    with_logprobs: Annotated[bool, Depends(asked_logprobs)],
    model: Annotated[
        str,
        Form(description="Registry code or model id; any other name means the default model."),
    ] = "",
    language: Annotated[
        str | None, Form(description="ISO 639-1 or any alias; goes before `model`.")
    ] = None,
    response_format: Annotated[
        ResponseFormat, Form(description="What the answer looks like.")
    ] = ResponseFormat.JSON,
    stream: Annotated[
        bool, Form(description="Send words as server-sent events while the rest is transcribed.")
    ] = False,
    prompt: Annotated[str, Form(description="Without effect: CTC models take none.")] = "",
    temperature: Annotated[float, Form(description="Without effect: nothing is sampled.")] = 0.0,
) -> Response:
    """Transcribe one recording of any length, as OpenAI's API does.

    Fields that are not listed are ignored.
    """
    spoken = service.languages.find_model(model) or service.languages.default
    if language and language.strip():
        spoken = service.languages.resolve(language)
    engine = service.engines.engine(spoken)
    if stream:
        if response_format not in STREAMED:
            raise InvalidParameter(
                f"response_format {response_format.value!r} cannot be streamed: with stream=true "
                "send 'json' or 'text', or leave it out."
            )
        return await stream_events(
            service.transcriber.words(file.file, engine),
            granularities,
            with_logprobs=with_logprobs,
            keep_alive_seconds=service.settings.keep_alive_seconds,
        )
    transcript = await service.transcriber.transcribe(file.file, engine)
    return await run_in_threadpool(
        render, transcript, spoken, response_format, granularities, with_logprobs
    )


@router.get("/models", responses={401: OPENAI_PROBLEMS[401]})
async def list_models(service: Use) -> ModelList:
    """The served models."""
    return ModelList(data=[Model.of(language) for language in service.languages])


@router.get("/models/{model:path}", responses=UNKNOWN_MODEL)
async def retrieve_model(service: Use, model: str) -> Model:
    """One served model, by its id or by the code of its language."""
    language = service.languages.find_model(model)
    if language is None:
        known = ", ".join(each.model.id for each in service.languages)
        raise UnknownModel(f"There is no model {model[:80]!r} here. Served: {known}.")
    return Model.of(language)
