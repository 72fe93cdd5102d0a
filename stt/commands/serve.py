"""``stt serve``: run the service until stopped. ``server_stt.py`` does the same."""

import logging
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

from stt.engines.device import prepare_process
from stt.errors import ConfigurationError
from stt.observability.logs import configure_logging
from stt.settings import Settings, load_settings

if TYPE_CHECKING:
    import uvicorn
    from fastapi import FastAPI

logger = logging.getLogger(__name__)


@contextmanager
def exit_on_wrong_settings() -> Iterator[None]:
    """On wrong settings, print the error and exit with status 2, as for wrong usage."""
    try:
        yield
    except ConfigurationError as error:
        sys.stderr.write(f"error: {error.message}\n")
        raise SystemExit(2) from None


def make_app(settings: Settings | None = None) -> "FastAPI":
    """Make the application; its settings default to the environment's."""
    prepare_process()
    from stt.observability.tracing import make_provider
    from stt.server.app import create_app

    with exit_on_wrong_settings():
        settings = settings or load_settings()
        configure_logging(settings.log_level, settings.log_format)
        return create_app(settings, tracer_provider=make_provider(settings))


def make_config(app: "FastAPI", settings: Settings) -> "uvicorn.Config":
    """Configure uvicorn for the application."""
    import uvicorn

    from stt.server.graceful_shutdown import CLOSING_SECONDS
    from stt.server.http_protocol import BoundedHttp
    from stt.server.websocket_protocol import InputTurns, PatientWebSockets

    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,  # the application reads them, from proxies that the settings trust
        http=partial(BoundedHttp, head_timeout_seconds=settings.head_timeout_seconds),  # type: ignore[arg-type]
        timeout_keep_alive=settings.idle_connection_seconds,
        timeout_graceful_shutdown=CLOSING_SECONDS,
        ws=partial(PatientWebSockets, turns=InputTurns()),  # type: ignore[arg-type]
        # Twice the route's own limit, so that the route can explain the refusal.
        ws_max_size=2 * settings.max_live_message_bytes,
        ws_per_message_deflate=False,  # audio hardly compresses
    )


def serve(arguments: Sequence[str] | None = None) -> None:
    """Serve until stopped; ``arguments`` default to the process's own."""
    with exit_on_wrong_settings():
        settings = load_settings(sys.argv[1:] if arguments is None else arguments)
        if settings.cluster:
            from stt.cluster import serving

            serving.run(settings)
            return
    run(make_app(settings), settings)


def run(app: "FastAPI", settings: Settings) -> None:
    """Serve an application until stopped."""
    from stt.server.graceful_shutdown import GracefulServer, end_at_once, stop_signals

    allow_many_files()
    config = make_config(app, settings)
    listener = config.bind_socket()
    listener.listen(config.backlog)  # from here on, clients wait instead of being refused
    port = listener.getsockname()[1]
    logger.info("listening on http://%s:%d", settings.host, port)
    # While the server starts and has no signal handlers yet, signals end the process.
    for number in stop_signals():
        signal.signal(number, lambda *_: sys.exit(0))
    server = GracefulServer(
        config,
        app.state.admission,
        delay_seconds=settings.drain_delay_seconds,
        timeout_seconds=settings.drain_timeout_seconds,
    )
    server.run(sockets=[listener])
    # At exit, the interpreter still waits for the inference thread's forward pass.
    for number in stop_signals():
        signal.signal(number, end_at_once)
    if not server.finished_all:
        logging.shutdown()
        os._exit(0)  # nobody waits for that forward pass


def allow_many_files() -> None:
    """Raise the soft limit of open files, often 1,024, to the hard one: every upload has some."""
    if sys.platform != "win32":
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        with suppress(ValueError, OSError):  # more than the kernel allows
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit status."""
    serve(arguments)
    return 0
