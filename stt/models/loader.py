"""Loads the engines in the background and tracks their progress.

The service answers while models load. Each language turns from *loading* to *ready*, or to *failed*
if a retry cannot help. An unreachable hub is retried with growing pauses, without end.

With ``model_ttl_seconds`` a model that nobody uses for so long becomes *idle*: it is unloaded, and
the next request that asks for it loads it again.
"""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable
from contextvars import Context
from dataclasses import replace
from pathlib import Path
from weakref import WeakValueDictionary

from stt.engines.base import Engine
from stt.engines.families.base import Layers
from stt.engines.memory import freeze_collected, release_freed
from stt.engines.selection import OpenedEngine, open_engine
from stt.errors import (
    ConfigurationError,
    ModelBroken,
    ModelLoading,
    ModelUnreachable,
    OutOfMemory,
    Overloaded,
    QueueTimeout,
)
from stt.languages import Language, Languages
from stt.models.background import in_daemon_thread
from stt.models.source import find_model
from stt.models.state import POLL_SECONDS, LoadState, Status, check_ready, overall
from stt.models.usage import Usage, current_lease
from stt.settings import Settings

logger = logging.getLogger(__name__)


class EngineLoader:
    """Loads one engine for each served language.

    ``warm`` is awaited with each language's new engine before it counts as ready. ``changed`` is
    called with a language's code when its model has been loaded (True) or unloaded (False).
    """

    def __init__(
        self,
        languages: Languages,
        settings: Settings,
        warm: Callable[[Language, Engine], Awaitable[None]],
        engine: Engine | None = None,
        changed: Callable[[str, bool], None] = lambda code, loaded: None,
    ) -> None:
        self._languages = languages
        self._settings = settings
        self._warm = warm
        self._given = engine
        self._changed = changed
        self._engines: dict[str, Engine] = {}
        self._states = {code: LoadState() for code in languages.codes}
        self._reading = asyncio.Lock()
        self._layers: Layers = WeakValueDictionary()
        self._usage = Usage()
        self._waking: dict[str, asyncio.Task[None]] = {}
        """The idle models that are being loaded again."""

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
            ModelLoading: the model is not loaded.
            ModelBroken: the model failed for good.
        """
        check_ready(language, self._states[language.code])
        return self._engines[language.code]

    def find_engine(self, language: Language) -> Engine | None:
        """The language's engine, or None while it is not ready."""
        return self._engines.get(language.code)

    async def acquire(self, language: Language) -> Engine:
        """The language's engine for the current request, loaded again if it is idle.

        It stays loaded until the request's `stt.models.usage.Lease` ends.

        Raises:
            ModelLoading: the model is still loading, or was not loaded again in time.
            ModelBroken: the model failed for good, or could not be loaded again.
        """
        lease = current_lease.get()
        if lease is not None:
            lease.hold(language.code, self._usage.using)
        if self._states[language.code].status is Status.IDLE:
            started = time.monotonic()
            await self._wake(language, math.inf if lease is None else lease.deadline)
            seconds = time.monotonic() - started
            logger.info(
                "waited for the model of %s", language.name,
                extra={"language": language.code, "waited_seconds": round(seconds, 3)},
            )  # fmt: skip
            if lease is not None:
                lease.waited(seconds)
        return self.engine(language)

    async def run(self) -> None:
        """Load every language; return when each is ready or failed.

        With ``model_ttl_seconds`` it goes on until it is cancelled, and unloads what is not used.
        """
        ttl_seconds = self._settings.model_ttl_seconds
        try:
            async with asyncio.TaskGroup() as group:
                for language in self._languages:
                    group.create_task(self._load_until_settled(language))
                if ttl_seconds is not None:
                    group.create_task(self._unload_unused(ttl_seconds))
        finally:
            for task in self._waking.values():
                task.cancel()

    async def _unload_unused(self, ttl_seconds: float) -> None:
        """Unload each model that nobody has used for ``ttl_seconds``."""
        while True:
            left = [ttl_seconds]
            for language in self._languages:
                if language.code in self._engines:
                    unused = self._usage.unused_seconds(language.code)
                    if unused >= ttl_seconds:
                        await self._unload(language, unused)
                    else:
                        left.append(ttl_seconds - unused)
            await asyncio.sleep(min(left))

    async def _unload(self, language: Language, unused_seconds: float) -> None:
        """Drop an engine. Whoever still uses it keeps it until they are done."""
        del self._engines[language.code]
        self._rest(language)
        self._changed(language.code, False)
        logger.info(
            "%s is unloaded after %.0f s without use", language.name, unused_seconds,
            extra={"language": language.code},
        )  # fmt: skip
        async with self._reading:  # loading begins when the memory is free
            try:
                await in_daemon_thread(release_freed)
            except Exception:  # of a GPU; the next load tells more
                logger.warning("a model's memory could not be returned", exc_info=True)

    async def _wake(self, language: Language, deadline: float) -> None:
        """Wait until an idle model is loaded again; one attempt serves all that wait for it."""
        code, loop = language.code, asyncio.get_running_loop()
        if code not in self._waking:
            # In an empty context, as it works for all of them.
            task = loop.create_task(self._load_again(language), context=Context())
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
            self._waking[code] = task
        patience = min(deadline - loop.time(), self._settings.queue_timeout_seconds)
        waking = self._waking[code]
        done, _ = await asyncio.wait([waking], timeout=max(0.0, patience))
        if not done:
            raise ModelLoading(
                f"The model for {language.name} had been unloaded and is being loaded again, which "
                f"takes longer than this request may wait; see GET /health for its progress.",
                retry_after_seconds=POLL_SECONDS,
            )
        waking.result()

    async def _load_again(self, language: Language) -> None:
        """Load an idle model. If that fails it stays idle, and the next request tries again."""
        try:
            await self._load_ready(language, time.monotonic())
        except ModelUnreachable as error:
            self._fail_again(language, error.message, error)
            raise ModelLoading(
                f"The model for {language.name} could not be loaded again. {error.message}",
                retry_after_seconds=POLL_SECONDS,
            ) from error
        except Exception as error:
            reason = reason_of(error)
            self._fail_again(language, reason, error)
            raise ModelBroken(
                f"The model for {language.name} could not be loaded again. {reason} The next "
                "request tries again."
            ) from error
        finally:
            del self._waking[language.code]

    def _rest(self, language: Language, reason: str | None = None) -> None:
        """Let a model be idle; ``reason`` is why the last attempt to load it failed."""
        seconds = self._states[language.code].load_seconds
        self._states[language.code] = LoadState(
            Status.IDLE, step="idle", reason=reason, load_seconds=seconds
        )

    def _fail_again(self, language: Language, reason: str, cause: BaseException) -> None:
        logger.error(
            "%s could not be loaded again: %s", language.name, reason, exc_info=cause,
            extra={"language": language.code},
        )  # fmt: skip
        self._rest(language, reason)

    async def _load_ready(self, language: Language, started: float) -> None:
        """Load a model and warm it; ``started`` is `time.monotonic` of the first attempt."""
        opened = await self._load(language)
        engine = opened.engine
        self._update(language, step="warming")
        await self._warm_in_turn(language, engine)
        self._usage.touch(language.code)
        self._engines[language.code] = engine
        self._states[language.code] = LoadState(
            Status.READY,
            step="ready",
            warning=opened.warning,
            load_seconds=time.monotonic() - started,
        )
        self._changed(language.code, True)
        logger.info(
            "%s is ready: %s on %s", language.name, language.model.name, engine.device,
            extra={"language": language.code},
        )  # fmt: skip

    async def _load_until_settled(self, language: Language) -> None:
        pause, started = 1.0, time.monotonic()
        while True:
            try:
                return await self._load_ready(language, started)
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
            except Exception as error:
                is_told = isinstance(error, ModelBroken | ConfigurationError)
                self._fail(language, reason_of(error), error.__cause__ if is_told else error)
                return None

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
            freeze_collected()
            return opened

        self._update(language, step="fetching", next_try=None)
        folder = await in_daemon_thread(find)
        async with self._reading:  # one at a time, to limit peak memory
            self._update(language, step="reading", reason=None)
            return await in_daemon_thread(lambda: read(folder))

    def _update(self, language: Language, **changes: object) -> None:
        state = self._states[language.code]
        self._states[language.code] = replace(state, **changes)  # type: ignore[arg-type]

    def _fail(self, language: Language, reason: str, cause: BaseException | None) -> None:
        logger.error(
            "%s failed: %s", language.name, reason, exc_info=cause,
            extra={"language": language.code},
        )  # fmt: skip
        self._states[language.code] = LoadState(Status.FAILED, step="failed", reason=reason)


def reason_of(error: Exception) -> str:
    """Why a model cannot be used, and what to do."""
    if isinstance(error, ModelBroken | ConfigurationError):
        return error.message
    if isinstance(error, OutOfMemory):
        return (
            "There is too little memory: the model was loaded but could not transcribe one second. "
            "Set another STT_DEVICE or STT_PRECISION, or serve fewer languages."
        )
    return "It could not be loaded; see the service's log for the cause."
