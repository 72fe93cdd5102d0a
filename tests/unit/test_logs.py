import json
import logging

import pytest

from stt.logs import JsonFormatter, TextFormatter, request_id

NASTY = "a\r\nb\x1b[31m\x00 한국어"


def record(message: str, **extra: object) -> logging.LogRecord:
    return logging.makeLogRecord({"msg": message, "levelname": "INFO", "name": "stt.x", **extra})


def test_json_lines_parse_and_keep_control_characters_inside() -> None:
    line = JsonFormatter().format(record(NASTY, language=NASTY))
    assert "\n" not in line
    assert "\r" not in line
    assert "\x1b" not in line
    entry = json.loads(line)
    assert entry["message"] == entry["language"] == NASTY
    assert (entry["level"], entry["logger"]) == ("info", "stt.x")
    assert "request_id" not in entry


@pytest.mark.parametrize("formatter", [JsonFormatter(), TextFormatter(colour=False)])
def test_the_request_id_is_on_each_line(formatter: logging.Formatter) -> None:
    token = request_id.set("abc-123")
    try:
        assert "abc-123" in formatter.format(record("x"))
    finally:
        request_id.reset(token)


def test_text_lines_are_one_line_without_control_characters() -> None:
    line = TextFormatter(colour=True).format(record(NASTY, language=NASTY))
    assert line.isprintable()
    assert "한국어" in line
    assert r"\r\nb\x1b[31m\x00" in line


def test_exceptions_are_logged_whole() -> None:
    try:
        raise ValueError("boom")
    except ValueError as error:
        info = (ValueError, error, error.__traceback__)
    entry = json.loads(JsonFormatter().format(record("x", exc_info=info)))
    assert "ValueError: boom" in entry["exception"]
