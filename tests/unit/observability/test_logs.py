import json
import logging
import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stt.observability.logs import JsonFormatter, TextFormatter, request_id

NASTY = "a\r\nb\x1b[31m\x00 한국어"
ANYTHING = st.text(st.characters(exclude_categories=()))
"""Every code point, lone surrogates included."""


def record(message: str, **extra: object) -> logging.LogRecord:
    return logging.makeLogRecord({"msg": message, "levelname": "INFO", "name": "stt.x", **extra})


def test_json_lines_escape_control_characters() -> None:
    line = JsonFormatter().format(record(NASTY, language=NASTY))
    assert "\n" not in line
    assert "\r" not in line
    assert "\x1b" not in line
    entry = json.loads(line)
    assert entry["message"] == entry["language"] == NASTY
    assert (entry["level"], entry["logger"]) == ("info", "stt.x")
    assert "request_id" not in entry


@pytest.mark.parametrize("formatter", [JsonFormatter(), TextFormatter(colour=False)])
def test_every_line_has_the_request_id(formatter: logging.Formatter) -> None:
    token = request_id.set("abc-123")
    try:
        assert "abc-123" in formatter.format(record("x"))
    finally:
        request_id.reset(token)


def test_text_lines_escape_control_characters() -> None:
    line = TextFormatter(colour=True).format(record(NASTY, language=NASTY))
    assert line.isprintable()
    assert "한국어" in line
    assert r"\r\nb\x1b[31m\x00" in line


def test_exceptions_are_logged_with_their_traceback() -> None:
    try:
        raise ValueError("boom")
    except ValueError as error:
        info = (ValueError, error, error.__traceback__)
    entry = json.loads(JsonFormatter().format(record("x", exc_info=info)))
    assert "ValueError: boom" in entry["exception"]


@given(message=ANYTHING, extra=ANYTHING)
def test_any_text_becomes_one_writable_line(message: str, extra: str) -> None:
    line = JsonFormatter().format(record(message, code=extra))
    assert line.isprintable()
    entry = json.loads(line.encode("utf-8"))
    # JSON reads two adjacent surrogates as one character.
    assert utf16(entry["message"]) == utf16(message)
    assert utf16(entry["code"]) == utf16(extra)
    text = TextFormatter(colour=False).format(record(message, code=extra))
    assert text.isprintable()
    assert text.encode("utf-8")


def utf16(text: str) -> bytes:
    return text.encode("utf-16", "surrogatepass")


def test_an_exception_cannot_forge_a_log_line() -> None:
    try:
        raise ValueError("boom\n12:00:00 INFO    all is well\x1b[2K")
    except ValueError as error:
        info = (ValueError, error, error.__traceback__)
    first, *rest = TextFormatter(colour=False).format(record("x", exc_info=info)).split("\n")
    assert first.endswith(" x")
    assert all(line.startswith("    ") and line.isprintable() for line in rest)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_json_lines_are_utf_8_whatever_the_locale(encoding: str) -> None:
    code = (
        "import logging, stt.observability.logs\n"
        "stt.observability.logs.configure_logging('info', 'json')\n"
        f"logging.getLogger('x').info({(NASTY + '🙂é')!a})\n"
    )
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, env=environment
    )
    assert json.loads(done.stderr.decode("utf-8"))["message"] == NASTY + "🙂é"


def test_false_alarms_are_not_logged() -> None:
    code = (
        "import logging, stt.observability.logs\n"
        "from stt.observability.tracing import trace_of_request\n"
        "stt.observability.logs.configure_logging('info', 'json')\n"
        "log = logging.getLogger('uvicorn.error')\n"
        "log.error(stt.observability.logs.FALSE_ALARM)\n"
        "trace_of_request(['0' * 1000])\n"
        "log.error('Exception in ASGI application')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    (line,) = done.stderr.decode().splitlines()
    assert json.loads(line)["message"] == "Exception in ASGI application"
