"""An engine replica: the models of all languages and a Batcher, as in one process."""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import TypeAlias

import numpy as np
from prometheus_client.metrics_core import Metric

from stt.cluster.ledger import relative
from stt.cluster.wire import EngineReport, Failure, RemoteEngine, Reply, View
from stt.engines.base import Engine
from stt.engines.wants import BEST, Want
from stt.errors import SttError
from stt.frames import AnyFrames
from stt.inference.batcher import Batcher
from stt.inference.fairness import current_client
from stt.inference.observer import Stage
from stt.languages import Language, choose_languages
from stt.models.loader import EngineLoader
from stt.observability.metrics import Metrics
from stt.server.runtime import export_gauges
from stt.settings import Settings
from stt.types import SAMPLE_RATE, Waveform

ReportEngine: TypeAlias = Callable[[EngineReport, list[Metric]], Awaitable[View]]
"""Reports to the ledger."""

WARMING_SECONDS = 3


class _Notes:
    """An `Observer` that notes the stage times of the current context's window.

    The ingress that sent the window records these with its request. Batches belong to no request,
    so they are counted here.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self.seconds: ContextVar[dict[Stage, float]] = ContextVar("seconds")

    def stage(self, stage: Stage, started: float, ended: float, busy_seconds: float) -> None:
        noted = self.seconds.get(None)
        if noted is not None:
            noted[stage] = busy_seconds

    def batch(self, n_windows: int, seconds: float) -> None:
        self._metrics.batch(n_windows, seconds)

    def transcribed(self, audio_seconds: float, wall_seconds: float) -> None:
        pass


class EngineReplica:
    """Runs windows through the models. Create it inside a running event loop."""

    def __init__(
        self, settings: Settings, send_report: ReportEngine, engine: Engine | None = None
    ) -> None:
        """``engine`` replaces the checkpoints of all languages; for tests."""
        self._languages = choose_languages(
            settings.languages,
            settings.models,
            demo=settings.demo,
            conventions=settings.conventions,
        )
        self._send_report = send_report
        self._metrics = Metrics()
        self._notes = _Notes(self._metrics)
        self._batcher = Batcher.of(settings, self._notes)
        self._loader = EngineLoader(self._languages, settings, self._warm, engine)
        export_gauges(self._metrics, self._batcher, self._loader, self._languages)

    async def load(self) -> None:
        """Load and warm every model, reporting progress; return when each is ready or failed."""
        loading = asyncio.create_task(self._loader.run())
        try:
            while not loading.done():
                view = await self._report()
                await asyncio.wait([loading], timeout=view.next_report_seconds)
            loading.result()
            await self._report()
        finally:
            loading.cancel()

    async def run(self) -> None:
        """Report to the ledger until cancelled."""
        pause = 0.5
        while True:
            await asyncio.sleep(pause)
            pause = (await self._report()).next_report_seconds

    async def submit(
        self, language: str, waveform: Waveform, want: Want[AnyFrames], client: str
    ) -> Reply | Failure:
        """The frames of a client's window, or its failure."""
        current_client.set(client)
        noted: dict[Stage, float] = {}
        self._notes.seconds.set(noted)
        try:
            engine = self._loader.engine(self._languages.resolve(language))
            # Ray's shared memory is read-only, and torch warns about that.
            samples = waveform if waveform.flags.writeable else np.array(waveform)
            frames = await self._batcher.submit(engine, samples, want)
        except SttError as error:
            return Failure.of(error)
        return Reply.of(frames, noted.get(Stage.QUEUE, 0.0), noted.get(Stage.FORWARD, 0.0))

    def check(self) -> None:
        """
        Raises:
            RuntimeError: this process must be restarted; the message says why.
        """
        if self._batcher.fault is not None:
            raise RuntimeError(self._batcher.fault)

    @property
    def queued_seconds(self) -> float:
        """Seconds of audio in the queue."""
        return self._batcher.queued_seconds

    def close(self) -> None:
        """Finish the running forward and start no other."""
        self._batcher.close()

    async def _warm(self, _: Language, engine: Engine) -> None:
        noise = np.random.default_rng(0).normal(0, 0.05, WARMING_SECONDS * SAMPLE_RATE)
        await self._batcher.submit(engine, noise.astype(np.float32), BEST)

    async def _report(self) -> View:
        states = {each.code: self._loader.state(each) for each in self._languages}
        ready = {each.code: self._loader.find_engine(each) for each in self._languages}
        report = EngineReport(
            states={code: relative(state) for code, state in states.items()},
            engines={code: RemoteEngine.of(code, one) for code, one in ready.items() if one},
            queued_seconds=self._batcher.queued_seconds,
            rtfx=self._batcher.rtfx,
        )
        try:
            return await self._send_report(report, list(self._metrics.registry.collect()))
        except Exception:  # the ledger is restarting; keep working
            return View({}, {}, next_report_seconds=1.0)
