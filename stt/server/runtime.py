"""Where models run: in this process, or in a cluster.

The application calls a `Connect` at startup and gets a `Runtime`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeAlias

from prometheus_client import CollectorRegistry

from stt.engines.base import Engine
from stt.inference.batcher import Batcher
from stt.inference.observer import Observer
from stt.inference.scheduler import Scheduler
from stt.languages import Language, Languages
from stt.models.loader import EngineLoader
from stt.models.state import LoadState, Status
from stt.observability.metrics import Metrics
from stt.server.admission import Admission
from stt.settings import Settings

Warm: TypeAlias = Callable[[Language, Engine], Awaitable[None]]
"""Transcribes a first recording before an engine counts as ready."""


class Engines(Protocol):
    """One engine per served language, and its state."""

    @property
    def status(self) -> Status:
        """Ready when every model is ready or idle, failed when one has failed."""
        ...

    def state(self, language: Language) -> LoadState:
        """The state of this language's model."""
        ...

    def engine(self, language: Language) -> Engine:
        """The language's engine, for `Scheduler.submit`.

        Raises:
            ModelLoading: it is not ready yet.
            ModelBroken: it has failed for good.
        """
        ...

    async def acquire(self, language: Language) -> Engine:
        """The language's engine for the current request, loaded first if it is idle.

        Raises:
            ModelLoading: it is not ready yet, or not loaded again in time.
            ModelBroken: it has failed, or could not be loaded again.
        """
        ...

    def find_engine(self, language: Language) -> Engine | None:
        """The language's engine, or None until it is ready."""
        ...

    async def run(self) -> None:
        """Load the models; cancelled at shutdown."""
        ...


@dataclass(frozen=True)
class Runtime:
    """Engines and the scheduler that runs them."""

    scheduler: Scheduler
    engines: Engines
    collect: Callable[[], Awaitable[CollectorRegistry]]
    """Collects the metrics of all processes."""


Connect: TypeAlias = Callable[[Observer, Metrics, Admission, Warm], Runtime]
"""Called at startup in the event loop. The admission lets a cluster stop the application."""


def connect_locally(
    languages: Languages,
    settings: Settings,
    engine: Engine | None,
    observer: Observer,
    metrics: Metrics,
    admission: Admission,
    warm: Warm,
) -> Runtime:
    """Run models in this process; ``engine`` replaces the checkpoints of all languages."""
    batcher = Batcher.of(settings, observer)
    loader = EngineLoader(languages, settings, warm, engine, metrics.count_load)
    export_gauges(metrics, batcher, loader, languages)

    async def collect() -> CollectorRegistry:
        return metrics.registry

    return Runtime(batcher, loader, collect)


def export_gauges(
    metrics: Metrics, batcher: Batcher, loader: EngineLoader, languages: Languages
) -> None:
    """Export the queue and the models' states, read at each scrape."""
    metrics.queue_size.set_function(lambda: batcher.n_queued)
    metrics.queue_audio_seconds.set_function(lambda: batcher.queued_seconds)
    for language in languages:
        metrics.export_model_gauges(language.code, partial(loader.state, language))
