"""The engines of a cluster as the ingress knows them: descriptions, and how far each is."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeAlias

from stt.cluster.ledger import absolute
from stt.cluster.wire import RemoteEngine, View
from stt.errors import SttError
from stt.languages import Language, Languages
from stt.models.state import LoadState, Status, check_ready, overall
from stt.server.runtime import Warm

logger = logging.getLogger(__name__)

SendReport: TypeAlias = Callable[[], Awaitable[View]]
"""Reports to the ledger; what it says."""
WAITING = LoadState(step="waiting")
"""Of a language of which no engine has told anything yet."""
JOIN_SECONDS = 30.0
"""Longest time that an ingress which joins a cluster stays away from requests."""


class RemoteEngines:
    """A `stt.server.runtime.Engines`; knows what the ledger said last."""

    def __init__(
        self,
        languages: Languages,
        send_report: SendReport,
        warm: Warm,
        on_view: Callable[[View], None] = lambda view: None,
    ) -> None:
        """
        Args:
            languages: Those that are served.
            send_report: Reports to the ledger.
            warm: Has a first recording transcribed, by each language once.
            on_view: Is told what the ledger says, each time.
        """
        self._languages = languages
        self._send_report = send_report
        self._warm = warm
        self._on_view = on_view
        self._warmed: set[str] = set()
        self._joined = asyncio.Event()
        self.view = View({}, {})
        """What the ledger said last."""

    @property
    def status(self) -> Status:
        """See `stt.server.runtime.Engines`."""
        return overall(self.state(language) for language in self._languages)

    def state(self, language: Language) -> LoadState:
        """See `stt.server.runtime.Engines`."""
        state = self.view.states.get(language.code, WAITING)
        if state.status is Status.READY and language.code not in self._warmed:
            return LoadState(step="warming")
        return state

    def engine(self, language: Language) -> RemoteEngine:
        """See `stt.server.runtime.Engines`."""
        check_ready(language, self.state(language))
        return self.view.engines[language.code]

    def find_engine(self, language: Language) -> RemoteEngine | None:
        """See `stt.server.runtime.Engines`."""
        ready = self.state(language).status is Status.READY
        return self.view.engines[language.code] if ready else None

    async def run(self) -> None:
        """Report and listen until cancelled; warm each language when its first engine is ready."""
        async with asyncio.TaskGroup() as group:
            warming: set[str] = set()
            heard = time.monotonic()
            while True:
                try:
                    self._take(await self._send_report())
                    heard = time.monotonic()
                except Exception as error:
                    logger.warning(
                        "the ledger has not answered for %.0f s: %r",
                        time.monotonic() - heard, error,
                    )  # fmt: skip
                for code in set(self.view.engines) - warming:
                    warming.add(code)
                    group.create_task(self._warm_one(code))
                await asyncio.sleep(self.view.next_report_seconds)

    async def join(self) -> None:
        """Return when this ingress can do what the others can, or after `JOIN_SECONDS`.

        That is as soon as the ledger has answered, where no engine is ready yet: whoever asks then
        is told how far they are.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(JOIN_SECONDS):
                await self._joined.wait()

    def _look_whether_joined(self) -> None:
        """Whenever the ledger has told something, or a language is warm."""
        states = self.view.states.items()
        if {code for code, state in states if state.status is Status.READY} <= self._warmed:
            self._joined.set()

    def _take(self, view: View) -> None:
        states = {code: absolute(state) for code, state in view.states.items()}
        # An engine that was ready and is being replaced is not loading: windows wait for it.
        for code in self._warmed - {c for c, s in states.items() if s.status is Status.READY}:
            states[code] = self.view.states[code]
        engines = {**self.view.engines, **view.engines}
        self.view = View(**{**vars(view), "states": states, "engines": engines})
        self._look_whether_joined()
        self._on_view(view)

    async def _warm_one(self, code: str) -> None:
        """A first transcription through the whole cluster; it may fail, as any other."""
        while code not in self._warmed:
            try:
                await self._warm(self.view.engines[code])
                self._warmed.add(code)
                self._look_whether_joined()
            except SttError as error:
                logger.warning("%s could not be warmed, trying again: %s", code, error.message)
                await asyncio.sleep(1)
