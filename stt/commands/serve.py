"""``stt serve``: the service, until told to stop; ``server_stt.py`` runs the same."""

import logging
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from stt.engine import prepare_process
from stt.errors import ConfigurationError
from stt.logs import configure_logging
from stt.settings import Settings, load_settings

if TYPE_CHECKING:
    from fastapi import FastAPI

logger = logging.getLogger(__name__)


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
    from stt.app import create_app

    with exit_on_wrong_settings():
        settings = settings or load_settings()
        configure_logging(settings.log_level, settings.log_format)
        return create_app(settings)


def serve(arguments: Sequence[str] | None = None) -> None:
    """Serve until told to stop; ``arguments`` default to the process's own."""
    import uvicorn

    with exit_on_wrong_settings():
        settings = load_settings(sys.argv[1:] if arguments is None else arguments)
    config = uvicorn.Config(
        make_app(settings),
        host=settings.host,
        port=settings.port,
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
    )
    listener = config.bind_socket()
    listener.listen(config.backlog)  # from here on a client waits instead of being refused
    port = listener.getsockname()[1]
    logger.info("listening on http://%s:%d", settings.host, port)
    # uvicorn shuts down in good order on these and then raises them again, which would end the
    # process as killed; having been told to stop is no failure.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    uvicorn.Server(config).run(sockets=[listener])


def main(arguments: Sequence[str]) -> int:
    """Run the command; the exit status."""
    serve(arguments)
    return 0
