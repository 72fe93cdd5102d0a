"""The command line: ``stt serve``, which is what ``server_stt.py`` runs."""

import logging
import signal
import sys
from collections.abc import Sequence

from fastapi import FastAPI

from stt.engine import prepare_process
from stt.errors import ConfigurationError
from stt.logs import configure_logging
from stt.settings import Settings, load_settings

logger = logging.getLogger(__name__)

USAGE = "usage: stt serve [--demo] [--port 8400] ...   (stt serve --help lists all settings)"


def make_app(settings: Settings | None = None) -> FastAPI:
    """The application with settings from the environment, for an ASGI server of one's own."""
    prepare_process()
    from stt.app import create_app

    try:
        settings = settings or load_settings()
        configure_logging(settings.log_level, settings.log_format)
        return create_app(settings)
    except ConfigurationError as error:
        sys.stderr.write(f"error: {error.message}\n")
        raise SystemExit(2) from None


def serve(arguments: Sequence[str] | None = None) -> None:
    """Serve until told to stop; ``arguments`` default to the process's own."""
    import uvicorn

    try:
        settings = load_settings(sys.argv[1:] if arguments is None else arguments)
    except ConfigurationError as error:
        sys.stderr.write(f"error: {error.message}\n")
        raise SystemExit(2) from None
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


def main() -> None:
    """Entry point of the installed command."""
    command, *arguments = sys.argv[1:] or [""]
    if command != "serve":
        print(USAGE, file=sys.stderr)
        raise SystemExit(0 if command in ("-h", "--help") else 2)
    serve(arguments)
