"""Serves the application with a fake engine on a real socket."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from stt.models.state import Status
from stt.settings import load_settings
from tests.fakes import FakeEngine
from tests.runtimes import make_app


@contextmanager
def listen(*flags: str, engine: FakeEngine) -> Iterator[str]:
    """Serve in a thread until the block ends; yields the URL when models are ready."""
    app = make_app(load_settings(["--vad", "off", *flags]), engine=engine)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        deadline = time.monotonic() + 60
        while not (server.started and app.state.service.engines.status is Status.READY):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(30)
