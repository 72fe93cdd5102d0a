"""``stt serve``: the service, until told to stop; ``server_stt.py`` runs the same."""

import logging
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from stt.engines.device import prepare_process
from stt.errors import ConfigurationError
from stt.observability.logs import configure_logging
from stt.settings import Settings, load_settings

if TYPE_CHECKING:
    import uvicorn
    from fastapi import FastAPI

logger = logging.getLogger(__name__)

SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def exit_on_wrong_settings() -> Iterator[None]:
    """End the process as command-line programs do on wrong usage: a sentence, status 2."""
    try:
        yield
    except ConfigurationError as error:
        sys.stderr.write(f"error: {error.message}\n")
        raise SystemExit(2) from None


def make_app(settings: Settings | None = None) -> "FastAPI":
    """The application with settings from the environment, for an ASGI server of one's own."""
    prepare_process()
    from stt.observability.tracing import make_provider
    from stt.server.app import create_app

    with exit_on_wrong_settings():
        settings = settings or load_settings()
        configure_logging(settings.log_level, settings.log_format)
        return create_app(settings, tracer_provider=make_provider(settings))


def make_config(app: "FastAPI", settings: Settings) -> "uvicorn.Config":
    """How the application is served."""
    import uvicorn

    from stt.server.graceful_shutdown import CLOSING_SECONDS
    from stt.server.websocket_protocol import LingeringCloseWebSockets

    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=CLOSING_SECONDS,
        ws=LingeringCloseWebSockets,
        # A little above what the route refuses with a sentence; and samples hardly compress.
        ws_max_size=2 * settings.max_live_message_bytes,
        ws_per_message_deflate=False,
    )


def serve(arguments: Sequence[str] | None = None) -> None:
    """Serve until told to stop; ``arguments`` default to the process's own."""
    with exit_on_wrong_settings():
        settings = load_settings(sys.argv[1:] if arguments is None else arguments)
        if settings.cluster:
            from stt.cluster import serving

            serving.run(settings)
            return
    run(make_app(settings), settings)


def run(app: "FastAPI", settings: Settings) -> None:
    """Serve an application until told to stop."""
    from stt.server.graceful_shutdown import GracefulServer, end_at_once

    config = make_config(app, settings)
    listener = config.bind_socket()
    listener.listen(config.backlog)  # from here on a client waits instead of being refused
    port = listener.getsockname()[1]
    logger.info("listening on http://%s:%d", settings.host, port)
    # Until the server has them, and while it comes up, signals end the process as asked.
    for number in SIGNALS:
        signal.signal(number, lambda *_: sys.exit(0))
    server = GracefulServer(
        config,
        app.state.admission,
        delay_seconds=settings.drain_delay_seconds,
        timeout_seconds=settings.drain_timeout_seconds,
    )
    server.run(sockets=[listener])
    # The interpreter still waits for the inference thread's forward.
    for number in SIGNALS:
        signal.signal(number, end_at_once)
    if not server.finished_all:
        logging.shutdown()
        os._exit(0)  # that forward is nobody's any more


def main(arguments: Sequence[str]) -> int:
    """Run the command; the exit status."""
    serve(arguments)
    return 0
