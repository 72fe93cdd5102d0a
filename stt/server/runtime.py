"""What computes for the application, as one part that can be exchanged: this process, or a cluster.

The application asks for a `Runtime` when it starts (`Connect`) and knows no more of it than that.
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

Warm: TypeAlias = Callable[[Engine], Awaitable[None]]
"""Has a first recording transcribed by an engine, before it counts as ready."""


class Engines(Protocol):
    """One engine for each served language, and how far each is."""

    @property
    def status(self) -> Status:
        """Ready when every model is; failed as soon as one is."""
        ...

    def state(self, language: Language) -> LoadState:
        """How far this language's model is."""
        ...

    def engine(self, language: Language) -> Engine:
        """The language's engine; to be handed to `Scheduler.submit`.

        Raises:
            ModelLoading: not yet.
            ModelBroken: not ever.
        """
        ...

    def find_engine(self, language: Language) -> Engine | None:
        """The language's engine if it is ready."""
        ...

    async def run(self) -> None:
        """Bring them up, for as long as that takes; cancelled when the application ends."""
        ...


@dataclass(frozen=True)
class Runtime:
    """Engines, and who computes with them."""

    scheduler: Scheduler
    engines: Engines
    collect: Callable[[], Awaitable[CollectorRegistry]]
    """Every metric of the service, wherever it is counted."""


Connect: TypeAlias = Callable[[Observer, Metrics, Admission, Warm], Runtime]
"""Called once the application's event loop runs; the admission is for who stops it from outside."""


def connect_locally(
    languages: Languages,
    settings: Settings,
    engine: Engine | None,
    observer: Observer,
    metrics: Metrics,
    admission: Admission,
    warm: Warm,
) -> Runtime:
    """Compute in this process; ``engine`` serves every language instead of the checkpoints."""
    batcher = Batcher.of(settings, observer)
    loader = EngineLoader(languages, settings, warm, engine)
    export_gauges(metrics, batcher, loader, languages)

    async def collect() -> CollectorRegistry:
        return metrics.registry

    return Runtime(batcher, loader, collect)


def export_gauges(
    metrics: Metrics, batcher: Batcher, loader: EngineLoader, languages: Languages
) -> None:
    """Look up what waits, and how far the models are, whenever somebody wants to know."""
    metrics.queue_size.set_function(lambda: batcher.n_queued)
    metrics.queue_audio_seconds.set_function(lambda: batcher.queued_seconds)
    for language in languages:
        metrics.export_model_gauges(language.code, partial(loader.state, language))
