"""The parts of a running service, put together once; routes find them in ``app.state``."""

from dataclasses import dataclass

from fastapi import Request

from stt.batcher import Batcher
from stt.languages import Languages
from stt.loader import EngineLoader
from stt.settings import Settings
from stt.transcriber import Transcriber


@dataclass(frozen=True)
class Service:
    """Everything that a route may need."""

    settings: Settings
    languages: Languages
    batcher: Batcher
    loader: EngineLoader
    transcriber: Transcriber


def get_service(request: Request) -> Service:
    """FastAPI dependency."""
    service: Service = request.app.state.service
    return service
