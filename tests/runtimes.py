"""Runtimes for the application in tests: this process, or a cluster without Ray.

The cluster has the real ingress, engine replica and ledger in one process; everything that would
cross the wire is pickled and unpickled. ``tests/e2e/test_cluster.py`` tests with Ray and processes
that can be killed.
"""

import asyncio
import pickle
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import Context, ContextVar
from dataclasses import replace
from typing import TypeVar

from fastapi import FastAPI
from opentelemetry.trace import TracerProvider
from prometheus_client.metrics_core import Metric

from stt.audio.pool import ReaderPool
from stt.cluster.ingress import ClusterConnection
from stt.cluster.ledger import Ledger
from stt.cluster.replica import EngineReplica
from stt.cluster.wire import EngineReport, Failure, IngressReport, Reply, View
from stt.engines.base import Engine
from stt.engines.wants import Want
from stt.frames import AnyFrames
from stt.languages import choose_languages
from stt.server.app import create_app
from stt.settings import Settings
from stt.types import Waveform
from tests.reader_pools import shared_readers

N_WARMINGS = {"local": 1, "cluster": 2}
"""Warm-up recordings by runtime; an ingress adds its own."""
REPORT_SECONDS = 0.02
"""Interval of reports; a second in a real cluster, too long for tests."""
T = TypeVar("T")

_chosen: ContextVar[str] = ContextVar("runtime", default="local")


@contextmanager
def using(runtime: str) -> Iterator[None]:
    """Make `make_app` use a runtime, ``local`` or ``cluster``, within the block."""
    token = _chosen.set(runtime)
    yield
    _chosen.reset(token)


def n_warmings() -> int:
    """An engine's forwards before the application is ready."""
    return N_WARMINGS[_chosen.get()]


def make_app(
    settings: Settings,
    *,
    engine: Engine | None = None,
    readers: ReaderPool | None = None,
    tracer_provider: TracerProvider | None = None,
) -> FastAPI:
    """Call `stt.server.app.create_app` with shared decoders and the test's runtime."""
    readers = readers or shared_readers()
    if _chosen.get() == "local":
        return create_app(settings, engine=engine, readers=readers, tracer_provider=tracer_provider)
    cluster = ClusterInside(settings, engine)
    app = create_app(
        settings, readers=readers, tracer_provider=tracer_provider,
        connect=cluster.connection.connect,
    )  # fmt: skip
    serve = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with cluster.running(), serve(app):
            yield

    app.router.lifespan_context = lifespan
    return app


class ClusterInside:
    """A ledger and an engine replica, with an ingress's connection to them."""

    def __init__(self, settings: Settings, engine: Engine | None) -> None:
        self._settings, self._engine = settings, engine
        self._ledger = Ledger()
        languages = choose_languages(
            settings.languages,
            settings.models,
            demo=settings.demo,
            conventions=settings.conventions,
        )
        self.connection = ClusterConnection(
            languages, settings, self._call, self._send_report, self._collect
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the engine replica: load, then compute."""
        self._replica = EngineReplica(self._settings, self._send_report, self._engine)

        async def work() -> None:
            await self._replica.load()
            await self._replica.run()

        working = asyncio.create_task(work())
        try:
            yield
        finally:
            working.cancel()
            await asyncio.wait([working])
            self._replica.close()

    async def _call(
        self, language: str, waveform: Waveform, want: Want[AnyFrames], client: str
    ) -> Reply | Failure:
        sent = cross(waveform)
        sent.flags.writeable = False  # like an array from Ray's shared memory
        # In an empty context, as a request's context does not cross processes.
        computing = self._replica.submit(language, sent, want, client)
        return cross(await asyncio.create_task(computing, context=Context()))

    async def _send_report(
        self, report: EngineReport | IngressReport, families: list[Metric]
    ) -> View:
        member = type(report).__name__
        view = cross(self._ledger.report(member, cross(report), cross(families)))
        return replace(view, next_report_seconds=REPORT_SECONDS)

    async def _collect(self) -> list[Metric]:
        return cross(self._ledger.metrics())


def cross(value: T) -> T:
    """Copy a value as if it crossed processes."""
    arrived: T = pickle.loads(pickle.dumps(value, protocol=5))
    return arrived
