"""The real application with a fake engine: everything but recognition."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from fastapi.testclient import TestClient

from stt.app import create_app
from stt.decoding.pool import DecodePool
from stt.settings import load_settings
from tests.audio_files import tones, with_libsndfile
from tests.decoders import shared_decoders
from tests.fakes import FakeEngine

Serve = Callable[..., AbstractContextManager[TestClient]]


@contextmanager
def serve_app(
    *flags: str,
    engine: FakeEngine | None = None,
    decoders: DecodePool | None = None,
    ready: bool = True,
) -> Iterator[TestClient]:
    """Start the application with these settings; wait for it to be ready unless told not to."""
    app = create_app(load_settings(flags), engine=engine, decoders=decoders or shared_decoders())
    with TestClient(app, raise_server_exceptions=False) as client:
        deadline = time.monotonic() + 60
        while ready and client.get("/readyz").status_code != 200:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield client


@pytest.fixture
def serve() -> Serve:
    return serve_app


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with serve_app("--languages", "KR,EN", engine=FakeEngine()) as client:
        yield client


@pytest.fixture(scope="session")
def wav() -> bytes:
    return with_libsndfile(tones(1.5, 44100, 2), 44100, "WAV")
