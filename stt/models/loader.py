"""Loads the engines in the background and tracks their progress.

The service answers while models load. Each language turns from *loading* to *ready*, or to *failed*
if a retry cannot help. An unreachable hub is retried with growing pauses, without end.
"""

import asyncio
import atexit
import gc
import logging
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar
from weakref import WeakValueDictionary

from stt.engines.base import Engine
from stt.engines.families.base import Layers
from stt.engines.selection import OpenedEngine, open_engine
from stt.errors import (
    ConfigurationError,
    ModelBroken,
    ModelUnreachable,
    OutOfMemory,
    Overloaded,
    QueueTimeout,
)
from stt.languages import Language, Languages
from stt.models.source import find_model
from stt.models.state import POLL_SECONDS, LoadState, Status, check_ready, overall
from stt.settings import Settings

logger = logging.getLogger(__name__)

T = TypeVar("T")


class EngineLoader:
    """Loads one engine for each served language.

    ``warm`` is awaited with each language's new engine before it counts as ready.
    """

    def __init__(
        self,
        languages: Languages,
        settings: Settings,
        warm: Callable[[Language, Engine], Awaitable[None]],
        engine: Engine | None = None,
    ) -> None:
        self._languages = languages
        self._settings = settings
        self._warm = warm
        self._given = engine
        self._engines: dict[str, Engine] = {}
        self._states = {code: LoadState() for code in languages.codes}
        self._reading = asyncio.Lock()
        self._layers: Layers = WeakValueDictionary()

    def state(self, language: Language) -> LoadState:
        """The progress of a language's model, and what has happened to its engine since."""
        state, engine = self._states[language.code], self._engines.get(language.code)
        if engine is None or engine.warning is None:
            return state
        return replace(state, warning=engine.warning)

    @property
    def status(self) -> Status:
        """Failed if any model is, ready if all are."""
        return overall(self._states.values())

    def engine(self, language: Language) -> Engine:
        """The language's engine.

        Raises:
            ModelLoading: the model is still loading.
            ModelBroken: the model failed for good.
        """
        check_ready(language, self._states[language.code])
        return self._engines[language.code]

    def find_engine(self, language: Language) -> Engine | None:
        """The language's engine, or None while it is not ready."""
        return self._engines.get(language.code)

    async def run(self) -> None:
        """Load every language; return when each is ready or failed."""
        async with asyncio.TaskGroup() as group:
            for language in self._languages:
                group.create_task(self._load_until_settled(language))

    async def _load_until_settled(self, language: Language) -> None:
        pause, started = 1.0, time.monotonic()
        while True:
            try:
                opened = await self._load(language)
                engine = opened.engine
                self._update(language, step="warming")
                await self._warm_in_turn(language, engine)
            except ModelUnreachable as error:
                pause_now = min(pause, self._settings.load_retry_seconds)
                logger.warning(
                    "model unreachable, retrying in %.0f s: %s", pause_now, error.message,
                    extra={"language": language.code},
                )  # fmt: skip
                self._update(
                    language, step="waiting", reason=error.message,
                    next_try=time.monotonic() + pause_now,
                )  # fmt: skip
                await asyncio.sleep(pause_now)
                pause *= 2
            except (ModelBroken, ConfigurationError) as error:
                self._fail(language, error.message, error.__cause__)
                return
            except OutOfMemory as error:
                self._fail(
                    language,
                    "There is too little memory: the model was loaded but could not transcribe one "
                    "second. Set another STT_DEVICE or STT_PRECISION, or serve fewer languages.",
                    error,
                )
                return
            except Exception as error:
                reason = "It could not be loaded; see the service's log for the cause."
                self._fail(language, reason, error)
                return
            else:
                self._engines[language.code] = engine
                self._states[language.code] = LoadState(
                    Status.READY,
                    step="ready",
                    warning=opened.warning,
                    load_seconds=time.monotonic() - started,
                )
                logger.info(
                    "%s is ready: %s on %s", language.name, language.model.name, engine.device,
                    extra={"language": language.code},
                )  # fmt: skip
                return

    async def _warm_in_turn(self, language: Language, engine: Engine) -> None:
        """Warm an engine, waiting while requests to other languages keep the queue full."""
        while True:
            try:
                return await self._warm(language, engine)
            except (Overloaded, QueueTimeout) as busy:
                await asyncio.sleep(min(busy.retry_after_seconds, POLL_SECONDS))

    async def _load(self, language: Language) -> OpenedEngine:
        if self._given is not None:
            return OpenedEngine(self._given)

        def report(done: int, total: int) -> None:
            self._update(language, bytes_done=done, bytes_total=total)

        def find() -> Path:
            return find_model(language.model, cache_dir=self._settings.cache_dir, report=report)

        def read(folder: Path) -> OpenedEngine:
            opened = open_engine(language.model, folder, self._settings, self._layers)
            # Collections would look at each of the libraries' million objects, for up to 0.4 s.
            gc.collect()
            gc.freeze()
            atexit.register(gc.unfreeze)  # else nanobind reports its libraries' objects as leaks
            return opened

        self._update(language, step="fetching", next_try=None)
        folder = await _in_daemon_thread(find)
        async with self._reading:  # one at a time, to limit peak memory
            self._update(language, step="reading", reason=None)
            return await _in_daemon_thread(lambda: read(folder))

    def _update(self, language: Language, **changes: object) -> None:
        state = self._states[language.code]
        self._states[language.code] = replace(state, **changes)  # type: ignore[arg-type]

    def _fail(self, language: Language, reason: str, cause: BaseException | None) -> None:
        logger.error(
            "%s failed: %s", language.name, reason, exc_info=cause,
            extra={"language": language.code},
        )  # fmt: skip
        self._states[language.code] = LoadState(Status.FAILED, step="failed", reason=reason)


async def _in_daemon_thread(function: Callable[[], T]) -> T:
    """Run a function that may block for hours, in a thread that never delays process exit."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if future.done():  # the service is shutting down
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result, failure = None, None
        try:
            result = function()
        except BaseException as error:
            failure = error
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=run, name="model-loader", daemon=True).start()
    return await future
