"""An item of a conversation: audio between two commits, transcribed while it arrives."""

import logging
from collections.abc import Sequence

from stt import errors
from stt.recognition.streaming import LiveSession
from stt.server.live import LiveSocket
from stt.server.realtime import events
from stt.server.realtime.shapes import Shape
from stt.types import Word

logger = logging.getLogger(__name__)


class Item:
    """One item. Its words are sent as soon as they are settled, so they never change."""

    def __init__(
        self, session: LiveSession, client: LiveSocket, shape: Shape, *, with_logprobs: bool
    ) -> None:
        """
        Args:
            session: Transcribes it, and nothing else.
            client: Gets its events.
            shape: Names the events.
            with_logprobs: Whether they have log-probs.
        """
        self.id = events.new_id("item")
        self._session = session
        self._client = client
        self._shape = shape
        self._with_logprobs = with_logprobs
        self._words: list[Word] = []
        self._error: errors.SttError | None = None
        """Why it cannot be transcribed; the client learns it after the commit."""

    @property
    def received_seconds(self) -> float:
        """Length of its audio."""
        return self._session.received_seconds

    async def hear(self, pcm: bytes) -> None:
        """Add s16le samples, and send the words that they settle."""
        if self._error is not None:
            return
        try:
            heard = await self._session.hear(pcm)
        except errors.SttError as error:
            await self._fail(error)
        else:
            await self._say(heard.settled)

    async def commit(self, previous: str | None) -> None:
        """Send all that follows the commit, up to the transcript.

        Args:
            previous: Id of the item before.
        """
        await self._client.send(events.committed(self.id, previous))
        for name in self._shape.added:
            await self._client.send(events.shown_item(name, self.id, previous))
        if self._error is None:
            try:
                await self._say((await self._session.finish()).settled)
            except errors.SttError as error:
                await self._fail(error)
        await self.close()
        if self._error is not None:
            await self._client.send(events.failed(self.id, self._error))
            return
        seconds = self.received_seconds
        logger.info("transcribed live audio", extra={"audio_seconds": round(seconds, 3)})
        logprobs = self._with_logprobs
        await self._client.send(
            events.completed(self.id, self._words, seconds, with_logprobs=logprobs)
        )

    async def close(self) -> None:
        """Drop unfinished work."""
        await self._session.close()

    async def _say(self, words: Sequence[Word]) -> None:
        if not words:
            return
        begins, logprobs = not self._words, self._with_logprobs
        self._words += words
        await self._client.send(events.delta(self.id, words, begins=begins, with_logprobs=logprobs))

    async def _fail(self, error: errors.SttError) -> None:
        self._client.note_failure(error)
        self._error = error
        await self.close()
