"""Recognition by a running service: ``--url http://host:8400``."""

import json
import logging
import ssl
import time
from collections.abc import Callable
from typing import Any, BinaryIO

import httpx

from stt.asked import Asked
from stt.commands.recognition import Recognition, RecognitionFailed
from stt.errors import ConfigurationError
from stt.notices import Notice, Report
from stt.recognition.segments import split_turns
from stt.types import Transcript, Word

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 3600.0
"""Longest silence of the service while it works on one recording."""
MAX_TRIES = 10
MAX_PAUSE_SECONDS = 60.0


class RemoteRecognizer:
    """Sends recordings to a service, one at a time."""

    def __init__(
        self,
        url: str,
        lang: str | None = None,
        api_key: str | None = None,
        asked: Asked | None = None,
        *,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        """
        Args:
            url: Scheme, host, and the path that the service is mounted under, if any.
            lang: Sent unchanged; None lets the service choose.
            api_key: The key, for a service that requires one.
            asked: What is asked of the decoding.
            sleep: Waits for a number of seconds.

        Raises:
            ConfigurationError: the URL or the key is invalid, or nothing listens there.
        """
        self._fields = {"response_format": "verbose_json"} | form_fields(lang, asked or Asked())
        self._sleep = sleep
        self._client = connect(url, api_key)

    def recognize(self, source: BinaryIO, name: str, track: int | None = None) -> Recognition:
        """See `Recognizer.recognize`.

        Makes up to `MAX_TRIES` attempts, as long as the service says when to retry.

        Raises:
            RecognitionFailed: with the service's own message.
        """
        for n_tries in range(1, MAX_TRIES + 1):
            response = self._post(source, name, track)
            if response.status_code == 200:
                return read_answer(response.content)
            pause = retry_after(response) if response.status_code in (429, 503) else None
            if pause is None or n_tries == MAX_TRIES:
                break
            logger.info("%s: %s Waiting %.0f s.", name, detail(response), pause)
            self._sleep(pause)
        raise RecognitionFailed(detail(response))

    def _post(self, source: BinaryIO, name: str, track: int | None) -> httpx.Response:
        file = (name.rsplit("/", 1)[-1], source, "application/octet-stream")
        try:
            fields = self._fields | ({"track": str(track)} if track else {})
            return self._client.post("transcribe", data=fields, files={"file": file})
        except httpx.HTTPError as error:
            raise RecognitionFailed(f"The service did not answer: {reason(error)}.") from error


def connect(url: str, api_key: str | None) -> httpx.Client:
    """A client of the service, which is there; see `RemoteRecognizer`.

    Raises:
        ConfigurationError: the URL or the key is invalid, or nothing listens there.
    """
    if api_key is not None and not api_key.isprintable():
        raise ConfigurationError("The API key contains unprintable characters.")
    headers = {b"Accept": b"application/json"}
    if api_key:
        # h11 refuses headers that end in spaces.
        headers[b"Authorization"] = f"Bearer {api_key}".strip().encode()
    client = httpx.Client(
        base_url=_parse_url(url),
        headers=headers,
        timeout=ANSWER_SECONDS,
        # A connection per recording: the service may close an idle one at any moment.
        limits=httpx.Limits(max_keepalive_connections=0),
        verify=ssl.create_default_context(),  # the system's certificates, not httpx's own
        trust_env=False,
    )
    # Fail once at the start, not once for each of a thousand recordings.
    try:
        client.get("livez", timeout=CONNECT_SECONDS)
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise ConfigurationError(f"There is no service at {url}: {reason(error)}.") from None
    except httpx.HTTPError:
        pass  # something listens there; how it fails is for the recordings to report
    return client


def form_fields(lang: str | None, asked: Asked) -> dict[str, str]:
    """The fields of the form that say what is asked; what is not asked the service chooses."""
    fields = {"lang": lang, "hotwords": asked.hotwords}
    if asked.language_model is not None:
        fields["language_model"] = str(asked.language_model).lower()
    if asked.vad is not None:
        fields["vad"] = asked.vad
    if asked.written:
        fields["written"] = "true"
    if asked.channels != "mix":
        fields["channels"] = asked.channels
    if asked.spacing != "model":
        fields["spacing"] = asked.spacing
    return {name: value for name, value in fields.items() if value}


def _parse_url(text: str) -> httpx.URL:
    """
    Raises:
        ConfigurationError: not an HTTP address.
    """
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        url = httpx.URL()
    if url.scheme not in ("http", "https") or not url.host or (url.port or 0) > 65535:
        raise ConfigurationError(f"--url {text!r}: expected http://host:port or https://host.")
    return url.copy_with(userinfo=b"", query=None, fragment=None)


def reason(error: BaseException) -> str:
    """The operating system's message, if httpx wraps one, else httpx's."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__context__  # not __cause__, which httpcore clears
    return str(error) or type(error).__name__


def retry_after(response: httpx.Response) -> float | None:
    """Seconds to wait, or None if the service does not ask for a retry."""
    value = response.headers.get("Retry-After")
    if value is None:
        return None
    # The header may also be a date; the service never sends one, but a proxy might.
    return min(MAX_PAUSE_SECONDS, float(value)) if value.strip().isdecimal() else 5.0


def detail(response: httpx.Response) -> str:
    """The service's error message, or a substitute if the answer is from something else."""
    try:
        body = json.loads(response.content)
        # Below /v1/ errors have OpenAI's form.
        return str(body["error"]["message"] if "error" in body else body["detail"])
    except (ValueError, KeyError, TypeError):
        return f"The service answered {response.status_code} without a reason."


def _read_report(answer: dict[str, Any]) -> Report:
    """The warnings and the track."""
    warnings = [Notice(each["code"], each["message"]) for each in answer.get("warnings", ())]
    return Report(
        tuple(warnings),
        answer.get("track", 1),
        answer.get("tracks", 1),
        answer.get("channels", 1),
    )


def read_answer(body: bytes) -> Recognition:
    """Read a ``verbose_json`` answer.

    Raises:
        RecognitionFailed: it is none.
    """
    try:
        answer: dict[str, Any] = json.loads(body)
        words = tuple(
            Word(
                each["word"],
                each["start"],
                each["end"],
                each["confidence"],
                space_before=each.get("space_before", True),
                spoken=each.get("spoken"),
                channel=each.get("channel"),
            )
            for each in answer["words"]
        )
        report = _read_report(answer)
        are_apart = any(word.channel for word in words)
        turns = split_turns(words) if are_apart else None
        transcript = Transcript(words, float(answer["duration_seconds"]), report, turns)
        return Recognition(answer["text"], transcript, answer["language"], answer["model"])
    except (ValueError, KeyError, TypeError) as error:
        raise RecognitionFailed(
            "The service's answer is not of the expected form. Is it an older version?"
        ) from error
