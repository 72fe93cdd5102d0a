"""Logging: text on a terminal, JSON lines elsewhere, each with the request id."""

import json
import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from io import TextIOWrapper
from typing import Literal

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""Id of the current task's request."""
trace_fields: ContextVar[dict[str, str] | None] = ContextVar("trace_fields", default=None)
"""``trace_id`` and ``span_id`` of that request."""

LOGS_EVERY_CALL = (
    "uvicorn.access", "alembic", "httpx", "httpx2", "httpcore", "filelock", "numba", "urllib3",
)  # fmt: skip
WARNS_ABOUT_CLIENTS = ("python_multipart", "opentelemetry.trace.propagation")
"""These warn of each malformed form or header, so clients could flood the log."""
FALSE_ALARM = "ASGI callable returned without completing handshake."
"""uvicorn logs this as an error for each WebSocket that we refuse with a status."""
_STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}


def _extras(record: logging.LogRecord) -> dict[str, object]:
    """Fields from ``extra=``, without other libraries' private ones (``_...``)."""
    return {
        key: value
        for key, value in vars(record).items()
        if key not in _STANDARD and not key.startswith("_")
    }


class JsonFormatter(logging.Formatter):
    """One JSON object per line, whatever clients send.

    Escapes every unprintable character: control codes, Unicode's line separators, and lone
    surrogates, which no encoding can write.
    """

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if (current := request_id.get()) is not None:
            entry["request_id"] = current
        entry |= (trace_fields.get() or {}) | _extras(record)
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        line = json.dumps(entry, ensure_ascii=False, default=str)
        if line.isprintable():
            return line
        # Unprintable characters occur only inside strings, where JSON allows this escape.
        return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in line)


class TextFormatter(logging.Formatter):
    """``12:34:56 INFO  message  key=value``, with unprintable characters escaped."""

    COLOURS = {"WARNING": "\x1b[33m", "ERROR": "\x1b[31m", "CRITICAL": "\x1b[31m"}  # noqa: RUF012

    def __init__(self, *, colour: bool) -> None:
        super().__init__()
        self._colour = colour

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created).strftime("%H:%M:%S")
        level = f"{record.levelname:<7}"
        if self._colour and record.levelname in self.COLOURS:
            level = f"{self.COLOURS[record.levelname]}{level}\x1b[0m"
        extras = _extras(record)
        if (current := request_id.get()) is not None:
            extras["request_id"] = current
        tail = "".join(f"  {key}={_printable(str(value))}" for key, value in extras.items())
        line = f"{time} {level} {_printable(record.getMessage())}{tail}"
        if record.exc_info:
            trace = self.formatException(record.exc_info).split("\n")
            line += "".join(f"\n    {_printable(each)}" for each in trace)
        return line


def _printable(text: str) -> str:
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def configure_logging(level: str, style: Literal["auto", "text", "json"]) -> None:
    """Send all logs of this process to standard error, in one style."""
    terminal = sys.stderr.isatty()
    handler = logging.StreamHandler(sys.stderr)
    if style == "json" or (style == "auto" and not terminal):
        if isinstance(sys.stderr, TextIOWrapper):
            sys.stderr.reconfigure(encoding="utf-8")  # as JSON requires, whatever the locale
        handler.setFormatter(JsonFormatter())
    else:
        handler.setFormatter(TextFormatter(colour=terminal))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # We log one line per request; silence the libraries' own.
    for name in LOGS_EVERY_CALL:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in WARNS_ABOUT_CLIENTS:
        logging.getLogger(name).setLevel(logging.ERROR)
    logging.getLogger("uvicorn.error").addFilter(_is_not_false_alarm)


def _is_not_false_alarm(record: logging.LogRecord) -> bool:
    return record.getMessage() != FALSE_ALARM
