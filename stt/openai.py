"""OpenAI's transcription API on the wire: its answers, its events, its models.

The shapes are those of https://platform.openai.com/docs/api-reference/audio. Errors are in
`stt.responses`, since every path has them.
"""

import asyncio
import logging
import math
import sys
from collections.abc import AsyncGenerator, Iterable, Set
from contextlib import aclosing
from typing import Annotated, Literal

from fastapi import Form, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from starlette.types import Receive, Scope, Send

from stt.errors import SttError
from stt.formats import (
    TEXTS,
    Granularity,
    ResponseFormat,
    json_response,
    segment_entries,
    text_response,
    word_entries,
)
from stt.languages import Language
from stt.problems import STATUSES
from stt.responses import OpenAIError, OpenAIErrorDetails, VerboseTranscription, note_failure
from stt.transcript import Token, Transcript, Word

logger = logging.getLogger(__name__)

LOGPROBS = "logprobs"
"""What `include[]` may ask for; anything else that it asks for is not there."""


class Usage(BaseModel):
    """What OpenAI would bill."""

    type: Literal["duration"] = "duration"
    seconds: float = Field(description="Length of the audio that was decoded.")


class Logprob(BaseModel):
    """One piece of the text, and how sure the model is of it."""

    token: str = Field(description="Joined, the tokens are the text.")
    bytes: list[int] = Field(description="The token in UTF-8.")
    logprob: float = Field(description="Natural logarithm of the model's probability; 0 is sure.")


class Transcription(BaseModel):
    """`json`: what was said."""

    text: str = Field(description='The words, with single spaces; "" where nothing was said.')
    logprobs: list[Logprob] | None = Field(None, description="Where `include[]` asks for it.")
    usage: Usage


class TranscriptionVerbose(VerboseTranscription):
    """`verbose_json`: what was said, and when."""

    usage: Usage


class TextDelta(BaseModel):
    """Event: the next word, which no later event changes."""

    type: Literal["transcript.text.delta"] = "transcript.text.delta"
    delta: str = Field(description="Joined, the deltas are the text.")
    logprobs: list[Logprob] | None = None


class TextDone(BaseModel):
    """Event: the end, with the whole text."""

    type: Literal["transcript.text.done"] = "transcript.text.done"
    text: str
    logprobs: list[Logprob] | None = None


class Model(BaseModel):
    """One model that is served."""

    id: str
    object: Literal["model"] = "model"
    created: int = Field(description="Always 0: checkpoints have no such date.")
    owned_by: str = Field(description="Owner on the hub, or `local`.")
    language: str = Field(description="Registry code of the language that it understands.")

    @classmethod
    def of(cls, language: Language) -> "Model":
        """The model behind a language."""
        owner, slash, _ = language.model.id.partition("/")
        return cls(
            id=language.model.id,
            created=0,
            owned_by=owner if slash else "local",
            language=language.code,
        )


class ModelList(BaseModel):
    """All models that are served."""

    object: Literal["list"] = "list"
    data: list[Model]


def asked_logprobs(
    bare: Annotated[
        list[str],
        Form(alias="include", default_factory=list, description="`logprobs`, for `json`."),
    ],
    bracketed: Annotated[
        list[str],
        Form(
            alias="include[]",
            default_factory=list,
            description="The same, as OpenAI's clients call it.",
        ),
    ],
) -> bool:
    """FastAPI dependency: whether log-probs were asked for, under either name."""
    return LOGPROBS in {name.strip() for value in bare + bracketed for name in value.split(",")}


def logprob_entries(words: Iterable[Word], *, begin_text: bool = True) -> list[Logprob]:
    """The tokens of consecutive words, the space between two words with the second one.

    ``begin_text`` is whether the first of them begins the text and so has no space before it.
    """
    entries = []
    for word in words:
        space = "" if begin_text else " "
        begin_text = False
        least = sys.float_info.min  # JSON has no infinity
        whole = Token(word.text, math.log(max(word.confidence, least)))
        for token in word.tokens or (whole,):
            text = space + token.text
            # The calibrated logarithm of a sure symbol is 0 to the last bit but one.
            logprob = round(min(0.0, token.log_posterior), 6)
            entries.append(Logprob(token=text, bytes=list(text.encode()), logprob=logprob))
            space = ""
    return entries


def render(
    transcript: Transcript,
    language: Language,
    response_format: ResponseFormat,
    granularities: Set[Granularity],
    with_logprobs: bool,
) -> Response:
    """The answer of the route. Takes a second for hours of speech: not for the event loop."""
    if response_format in TEXTS:
        return text_response(transcript, response_format)
    duration = round(transcript.duration_seconds, 3)
    usage = Usage(seconds=duration)
    if response_format is ResponseFormat.VERBOSE_JSON:
        return json_response(
            TranscriptionVerbose(
                language=language.name.lower(),
                duration=duration,
                text=transcript.text,
                segments=segment_entries(transcript),
                words=word_entries(transcript) if Granularity.WORD in granularities else None,
                usage=usage,
            )
        )
    logprobs = logprob_entries(transcript.words) if with_logprobs else None
    return json_response(Transcription(text=transcript.text, logprobs=logprobs, usage=usage))


class EventStream(StreamingResponse):
    """Server-sent events; when the client has gone, the generator is closed at once."""

    media_type = "text/event-stream"

    def __init__(self, first: str, rest: AsyncGenerator[str]) -> None:
        # nginx would keep the events back until it has some kilobytes of them.
        headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
        super().__init__(self._events(first, rest), headers=headers)
        self._rest = rest
        self._failure: str | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Starlette would watch for the client's end in a cancel scope, which cancels again what
        # has to be waited for on the way out: the thread that reads the upload.
        sending = asyncio.create_task(self.stream_response(send))
        leaving = asyncio.create_task(self.listen_for_disconnect(receive))
        try:
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sending.cancel()
            leaving.cancel()
            await asyncio.wait((sending, leaving))
            await self._rest.aclose()
            if self._failure is not None:
                note_failure(scope, self._failure)
        if not sending.cancelled():
            sending.result()  # raises what stopped it

    async def _events(self, first: str, rest: AsyncGenerator[str]) -> AsyncGenerator[str]:
        yield first
        try:
            async for event in rest:
                yield event
        except SttError as error:
            self._failure, status = error.code, STATUSES[type(error)]
            if status >= 500:
                logger.error("%s: %s", error.code, error.message, exc_info=error.__cause__)
            details = OpenAIErrorDetails.of(status, error.code, error.message)
            yield "event: error\n" + _event(OpenAIError(error=details))


async def stream_events(words: AsyncGenerator[Word], *, with_logprobs: bool) -> EventStream:
    """Words as events, the answer itself with the first one.

    Until then an error is still the answer's status: what is wrong with an upload mostly shows
    before its first word.

    Raises:
        SttError: as the words do.
    """
    events = _events(words, with_logprobs)
    return EventStream(await anext(events), events)


async def _events(words: AsyncGenerator[Word], with_logprobs: bool) -> AsyncGenerator[str]:
    texts: list[str] = []
    logprobs: list[Logprob] | None = [] if with_logprobs else None
    async with aclosing(words):
        async for word in words:
            entries = None
            if logprobs is not None:
                entries = logprob_entries([word], begin_text=not texts)
                logprobs += entries
            delta = f" {word.text}" if texts else word.text
            texts.append(word.text)
            yield _event(TextDelta(delta=delta, logprobs=entries))
    yield _event(TextDone(text=" ".join(texts), logprobs=logprobs))


def _event(data: BaseModel) -> str:
    """https://html.spec.whatwg.org/multipage/server-sent-events.html; JSON has no line breaks."""
    return f"data: {data.model_dump_json(exclude_none=not isinstance(data, OpenAIError))}\n\n"
