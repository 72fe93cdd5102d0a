"""A running service as the recogniser: ``--url http://host:8400``.

The standard library's client is enough, and lets an answer be read that comes before the upload is
over, as a refusal of something too large does.
"""

import http.client
import json
import logging
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO
from urllib.parse import quote, urlsplit

from stt.commands.recognition import Recognition, RecognitionFailed
from stt.errors import ConfigurationError
from stt.types import Transcript, Word

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 3600.0
"""Longest silence of the service while it works on one recording."""
MAX_TRIES = 10
MAX_PAUSE_SECONDS = 60.0
CHUNK_BYTES = 1 << 16


class RemoteRecognizer:
    """Sends recordings to a service, one at a time."""

    def __init__(
        self,
        url: str,
        lang: str | None = None,
        api_key: str | None = None,
        *,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        """
        Args:
            url: Where the service is: scheme, host, and a path if it lies under one.
            lang: Sent as it is; None lets the service choose.
            api_key: For a service that wants one.
            sleep: Waits so many seconds.

        Raises:
            ConfigurationError: that is no address or no key, or nobody is there.
        """
        parts = urlsplit(url)
        try:
            host, port = parts.hostname, parts.port
        except ValueError:
            host = port = None
        if parts.scheme not in ("http", "https") or not host:
            raise ConfigurationError(f"--url {url!r}: expected http://host:port or https://host.")
        self._secure, self._host, self._port = parts.scheme == "https", host, port
        self._path = parts.path.rstrip("/")
        self._url = url
        self._lang = lang
        if api_key is not None and not api_key.isprintable():
            raise ConfigurationError("The API key has characters that no key has.")
        self._api_key = api_key
        self._sleep = sleep
        self._check_reachable()

    def recognize(self, source: BinaryIO, name: str) -> Recognition:
        """See `Recognizer.recognize`.

        Waits and tries again, `MAX_TRIES` times in all, where the service says when to.

        Raises:
            RecognitionFailed: with the service's own words.
        """
        for n_tries in range(1, MAX_TRIES + 1):
            status, headers, body = self._post(source, name)
            if status == 200:
                return _read_answer(body)
            pause = _retry_after(headers) if status in (429, 503) else None
            if pause is None or n_tries == MAX_TRIES:
                break
            logger.info("%s: %s Waiting %.0f s.", name, _detail(status, body), pause)
            self._sleep(pause)
        raise RecognitionFailed(_detail(status, body))

    def _check_reachable(self) -> None:
        """Fail once at the start, not once for each of a thousand recordings."""
        connection = self._connect(CONNECT_SECONDS)
        try:
            connection.connect()
        except OSError as error:
            raise ConfigurationError(
                f"There is no service at {self._url}: {error.strerror or error}."
            ) from None
        finally:
            connection.close()

    def _connect(self, timeout: float) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        return kind(self._host, self._port, timeout=timeout)

    def _post(self, source: BinaryIO, name: str) -> tuple[int, http.client.HTTPMessage, bytes]:
        fields = {"response_format": "verbose_json"}
        if self._lang:
            fields["lang"] = self._lang
        boundary = uuid.uuid4().hex
        head, tail = _multipart(fields, name, boundary)
        n_bytes = source.seek(0, 2)
        connection = self._connect(ANSWER_SECONDS)
        try:
            connection.putrequest("POST", f"{self._path}/transcribe")
            connection.putheader("Content-Type", f"multipart/form-data; boundary={boundary}")
            connection.putheader("Content-Length", str(len(head) + n_bytes + len(tail)))
            connection.putheader("Accept", "application/json")
            if self._api_key:
                connection.putheader("Authorization", f"Bearer {self._api_key}".encode())
            connection.endheaders()
            try:
                for chunk in (head, *_chunks(source), tail):
                    connection.send(chunk)
            except (BrokenPipeError, ConnectionResetError):
                pass  # it has heard enough; its answer says why
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise RecognitionFailed(f"The service did not answer: {reason}.") from error
        finally:
            connection.close()


def _multipart(fields: dict[str, str], name: str, boundary: str) -> tuple[bytes, bytes]:
    """What comes before and after the file's bytes (RFC 7578)."""
    lines = []
    for key, value in fields.items():
        lines += [f"--{boundary}", f'Content-Disposition: form-data; name="{key}"', "", value]
    # Quotes and line ends in a name are percent-encoded, as browsers do (the HTML standard, 4.10).
    shown = "".join(quote(char) if char in '"\r\n' else char for char in name.rsplit("/", 1)[-1])
    lines += [
        f"--{boundary}",
        f'Content-Disposition: form-data; name="file"; filename="{shown}"',
        "Content-Type: application/octet-stream",
        "",
        "",
    ]
    return "\r\n".join(lines).encode(), f"\r\n--{boundary}--\r\n".encode()


def _chunks(source: BinaryIO) -> Iterator[bytes]:
    source.seek(0)
    while chunk := source.read(CHUNK_BYTES):
        yield chunk


def _retry_after(headers: http.client.HTTPMessage) -> float | None:
    """Seconds to wait; None where the answer does not say, so that asking again is of no use."""
    value = headers.get("Retry-After")
    if value is None:
        return None
    # The other form is a date, which the service never sends; a proxy before it might.
    return min(MAX_PAUSE_SECONDS, float(value)) if value.strip().isdecimal() else 5.0


def _detail(status: int, body: bytes) -> str:
    """The service's sentence; or what can be said of an answer that is from no such service."""
    try:
        detail = json.loads(body)["detail"]
    except (ValueError, KeyError, TypeError):
        return f"The service answered {status} and no reason."
    return str(detail)


def _read_answer(body: bytes) -> Recognition:
    """The answer in verbose_json, which is `json` and more."""
    try:
        answer: dict[str, Any] = json.loads(body)
        words = tuple(
            Word(each["word"], each["start"], each["end"], each["confidence"])
            for each in answer["words"]
        )
        transcript = Transcript(words, float(answer["duration_seconds"]))
        return Recognition(answer["text"], transcript, answer["language"], answer["model"])
    except (ValueError, KeyError, TypeError) as error:
        raise RecognitionFailed(
            "The service's answer is not of the form that was expected. Is it an older version?"
        ) from error
