"""Streams words as server-sent events of OpenAI's API, as soon as they are final.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Set
from contextlib import aclosing

from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from starlette.types import Receive, Scope, Send

from stt.errors import SttError
from stt.formats.base import Granularity
from stt.formats.findings import finding_fields
from stt.formats.openai import Logprob, TextDelta, TextDone, logprob_entries
from stt.formats.verbose import segment_entries, word_entries
from stt.recognition.pipeline import Words
from stt.server.failures import note_failure
from stt.server.problems import STATUSES, openai_error
from stt.server.schemas import OpenAIError
from stt.types import Transcript, Word

logger = logging.getLogger(__name__)

KEEP_ALIVE = ": keep-alive\n\n"
"""A comment. Clients ignore it, and it keeps proxies from closing the connection."""


class EventStream(StreamingResponse):
    """Server-sent events. Closes the generator at once when the client leaves."""

    media_type = "text/event-stream"

    def __init__(self, first: str, rest: AsyncGenerator[str]) -> None:
        # Keeps nginx from buffering events.
        headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
        super().__init__(self._events(first, rest), headers=headers)
        self._rest = rest
        self._failure: str | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Starlette watches for the disconnect in a cancel scope, which would also cancel the wait
        # for the thread that reads the upload.
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
            sending.result()  # raises its exception

    async def _events(self, first: str, rest: AsyncGenerator[str]) -> AsyncGenerator[str]:
        yield first
        try:
            async for event in rest:
                yield event
        except SttError as error:
            self._failure = error.code
            if STATUSES[type(error)] >= 500:
                logger.error("%s: %s", error.code, error.message, exc_info=error.__cause__)
            yield error_event(error)


async def stream_events(
    words: Words,
    granularities: Set[Granularity],
    *,
    with_logprobs: bool,
    keep_alive_seconds: float,
) -> EventStream:
    """Stream words as events. Returns when the first event is ready.

    An error before the first event still sets the status of the answer, and most faults of an
    upload show before its first word.

    Args:
        words: The words of one recording; closed at the end.
        granularities: What the last event has times for.
        with_logprobs: Whether events include log-probs.
        keep_alive_seconds: Silence after which a comment is sent.

    Raises:
        SttError: raised by ``words`` before the first event.
    """
    events = keep_alive(_events(words, granularities, with_logprobs), keep_alive_seconds)
    return EventStream(await anext(events), events)


async def keep_alive(events: AsyncGenerator[str], seconds: float) -> AsyncGenerator[str]:
    """The events, with `KEEP_ALIVE` after every ``seconds`` of silence."""
    async with aclosing(events):
        while True:
            # A task, because a timeout must not cancel the wait for the next event.
            coming = asyncio.ensure_future(anext(events, None))
            try:
                while not (await asyncio.wait([coming], timeout=seconds))[0]:
                    yield KEEP_ALIVE
            finally:
                if not coming.done():  # the client has left
                    coming.cancel()
                    await asyncio.wait([coming])
                    coming.cancelled() or coming.exception()
            event = coming.result()
            if event is None:
                return
            yield event


async def _events(
    words: Words, granularities: Set[Granularity], with_logprobs: bool
) -> AsyncGenerator[str]:
    spoken: list[Word] = []
    logprobs: list[Logprob] | None = [] if with_logprobs else None
    async with aclosing(words):
        async for word in words:
            entries = None
            if logprobs is not None:
                entries = logprob_entries([word], begin_text=not spoken)
                logprobs += entries
            yield delta_event(word, entries, begins_text=not spoken)
            spoken.append(word)
    whole = Transcript(tuple(spoken), words.duration_seconds, words.report)
    yield await run_in_threadpool(done_event, whole, granularities, logprobs)


def delta_event(word: Word, logprobs: list[Logprob] | None = None, *, begins_text: bool) -> str:
    """The event of one word, with the space before it unless it begins the text."""
    delta = word.text if begins_text else word.continued
    return _event(TextDelta(delta=delta, logprobs=logprobs))


def done_event(
    whole: Transcript, granularities: Set[Granularity], logprobs: list[Logprob] | None = None
) -> str:
    """The last event. Do not call it in the event loop: hours of speech take a second."""
    return _event(
        TextDone(
            text=whole.text,
            logprobs=logprobs,
            duration=round(whole.duration_seconds, 3) if granularities else None,
            segments=segment_entries(whole) if Granularity.SEGMENT in granularities else None,
            words=word_entries(whole) if Granularity.WORD in granularities else None,
            **finding_fields(whole.report),
        )
    )


def error_event(error: SttError) -> str:
    """The last event of a stream that fails after its start."""
    return "event: error\n" + _event(openai_error(STATUSES[type(error)], error.code, error.message))


def _event(data: BaseModel) -> str:
    """One event; JSON has no line breaks to escape."""
    return f"data: {data.model_dump_json(exclude_none=not isinstance(data, OpenAIError))}\n\n"
