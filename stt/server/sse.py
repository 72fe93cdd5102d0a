"""Words as server-sent events, each when it is settled, as OpenAI's API has them.

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
from stt.formats.openai import Logprob, TextDelta, TextDone, logprob_entries
from stt.formats.verbose import segment_entries, word_entries
from stt.recognition.pipeline import Words
from stt.server.failures import note_failure
from stt.server.problems import STATUSES, openai_error
from stt.server.schemas import OpenAIError
from stt.types import Transcript, Word

logger = logging.getLogger(__name__)

KEEP_ALIVE = ": keep-alive\n\n"
"""A comment: clients throw it away, and proxies see that the connection is not dead."""


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
            yield "event: error\n" + _event(openai_error(status, error.code, error.message))


async def stream_events(
    words: Words,
    granularities: Set[Granularity],
    *,
    with_logprobs: bool,
    keep_alive_seconds: float,
) -> EventStream:
    """Words as events, the answer itself with the first one.

    Until then an error is still the answer's status: what is wrong with an upload mostly shows
    before its first word.

    Args:
        words: Of one recording; closed at the end.
        granularities: What the last event has times for.
        with_logprobs: Whether events have log-probs.
        keep_alive_seconds: So long after an event, or the begin, a comment is sent.

    Raises:
        SttError: as the words do.
    """
    events = keep_alive(_events(words, granularities, with_logprobs), keep_alive_seconds)
    return EventStream(await anext(events), events)


async def keep_alive(events: AsyncGenerator[str], seconds: float) -> AsyncGenerator[str]:
    """The events, and `KEEP_ALIVE` whenever there was none for so long."""
    async with aclosing(events):
        while True:
            # A task, since waiting for the next event must not end with the time for it.
            coming = asyncio.ensure_future(anext(events, None))
            try:
                while not (await asyncio.wait([coming], timeout=seconds))[0]:
                    yield KEEP_ALIVE
            finally:
                if not coming.done():  # nobody listens any more
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
    whole = Transcript(tuple(spoken), words.duration_seconds)
    yield await run_in_threadpool(done_event, whole, granularities, logprobs)


def delta_event(word: Word, logprobs: list[Logprob] | None = None, *, begins_text: bool) -> str:
    """The event of one word, with the space before it."""
    delta = word.text if begins_text else f" {word.text}"
    return _event(TextDelta(delta=delta, logprobs=logprobs))


def done_event(
    whole: Transcript, granularities: Set[Granularity], logprobs: list[Logprob] | None = None
) -> str:
    """The last event. Takes a second for hours of speech: not for the event loop."""
    return _event(
        TextDone(
            text=whole.text,
            logprobs=logprobs,
            duration=round(whole.duration_seconds, 3) if granularities else None,
            segments=segment_entries(whole) if Granularity.SEGMENT in granularities else None,
            words=word_entries(whole) if Granularity.WORD in granularities else None,
        )
    )


def _event(data: BaseModel) -> str:
    """On one line: JSON has no line breaks."""
    return f"data: {data.model_dump_json(exclude_none=not isinstance(data, OpenAIError))}\n\n"
