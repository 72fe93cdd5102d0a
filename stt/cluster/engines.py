"""An ingress replica's view of the engines: their attributes and load states."""

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
"""Reports to the ledger and returns its view."""
WAITING = LoadState(step="waiting")
"""State of a language that no engine has reported yet."""
JOIN_SECONDS = 30.0
"""Longest time that a new ingress replica waits before it takes requests."""


class ClusterEngines:
    """A `stt.server.runtime.Engines` that follows the ledger's view."""

    def __init__(
        self,
        languages: Languages,
        send_report: SendReport,
        warm: Warm,
        on_view: Callable[[View], None] = lambda view: None,
    ) -> None:
        """
        Args:
            languages: The languages served.
            send_report: Reports to the ledger.
            warm: Transcribes a first recording; called once per language.
            on_view: Receives every view from the ledger.
        """
        self._languages = languages
        self._send_report = send_report
        self._warm = warm
        self._on_view = on_view
        self._warmed: set[str] = set()
        self._joined = asyncio.Event()
        self.view = View({}, {})
        """The latest from the ledger."""

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

    async def acquire(self, language: Language) -> RemoteEngine:
        """See `stt.server.runtime.Engines`; engine replicas keep their models."""
        return self.engine(language)

    def find_engine(self, language: Language) -> RemoteEngine | None:
        """See `stt.server.runtime.Engines`."""
        ready = self.state(language).status is Status.READY
        return self.view.engines[language.code] if ready else None

    async def run(self) -> None:
        """Exchange reports until cancelled; warm each language when its first engine is ready."""
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
        """Wait until every ready language is warm here, at most `JOIN_SECONDS`.

        If no engine is ready yet, return at the ledger's first answer: requests then get the load
        state.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(JOIN_SECONDS):
                await self._joined.wait()

    def _check_joined(self) -> None:
        states = self.view.states.items()
        if {code for code, state in states if state.status is Status.READY} <= self._warmed:
            self._joined.set()

    def _take(self, view: View) -> None:
        states = {code: absolute(state) for code, state in view.states.items()}
        # Keep a language ready while its engine is replaced: its windows wait for the new one.
        for code in self._warmed - {c for c, s in states.items() if s.status is Status.READY}:
            states[code] = self.view.states[code]
        engines = {**self.view.engines, **view.engines}
        self.view = View(**{**vars(view), "states": states, "engines": engines})
        self._check_joined()
        self._on_view(view)

    async def _warm_one(self, code: str) -> None:
        """Transcribe through the whole cluster; retry, as any transcription may fail."""
        while code not in self._warmed:
            try:
                await self._warm(self._languages.resolve(code), self.view.engines[code])
                self._warmed.add(code)
                self._check_joined()
            except SttError as error:
                logger.warning("warming %s failed, retrying: %s", code, error.message)
                await asyncio.sleep(1)
