"""API keys: reads them, reloads their file when it changes, and limits what each may use."""

import hashlib
import hmac
import logging
import math
import re
import time
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from stt.errors import ConfigurationError, RateLimited
from stt.inference.observer import Observer
from stt.settings import Settings

logger = logging.getLogger(__name__)

KEY = re.compile(r"[!-+\--~]+")
"""Visible ASCII without commas, so that keys fit headers and comma-separated lists."""
HASHED = re.compile(r"sha256:([0-9a-f]{64})")
LIMITS = re.compile(r"(requests_per_minute|audio_seconds_per_minute)=(\d{1,9})")
CHECK_SECONDS = 1.0
"""How often the file may be looked at."""
MINUTE_SECONDS = 60.0
MAX_CANDIDATES = 4
"""Keys of one request that are looked at."""


def digest(key: str) -> bytes:
    """A hash, since comparing in constant time needs equal lengths."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


@dataclass(frozen=True)
class Key:
    """An accepted key, as its hash, and its limits."""

    digest: bytes
    requests_per_minute: int | None = None
    audio_seconds_per_minute: int | None = None

    @classmethod
    def parse(cls, line: str) -> "Key":
        """Parse ``KEY`` or ``sha256:HASH``, followed by limits (``requests_per_minute=60``).

        Raises:
            ValueError: the line is malformed. The message does not show it.
        """
        key, *options = line.split()
        if not KEY.fullmatch(key):
            raise ValueError("a key that is not visible ASCII without commas")
        limits = {}
        for option in options:
            limit = LIMITS.fullmatch(option)
            if limit is None:
                raise ValueError(
                    "something after a key that is neither requests_per_minute=NUMBER nor "
                    "audio_seconds_per_minute=NUMBER"
                )
            limits[limit[1]] = int(limit[2])
        hashed = HASHED.fullmatch(key)
        return cls(bytes.fromhex(hashed[1]) if hashed else digest(key), **limits)

    @property
    def is_limited(self) -> bool:
        """Whether it has any limit."""
        return (self.requests_per_minute, self.audio_seconds_per_minute) != (None, None)

    @property
    def id(self) -> str:
        """A name for it that does not show it."""
        return self.digest.hex()[:16]


class KeyRing:
    """The accepted keys. The file is read again when it has changed."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        """
        Args:
            settings: Its keys and the name of the file.
            clock: Returns seconds; for tests.

        Raises:
            ConfigurationError: the file is unreadable, or an entry is malformed. The message does
                not show the entry.
        """
        self._path = settings.api_keys_file
        self._clock = clock
        self._checked = clock()
        self._given = _parse("STT_API_KEYS", [key.get_secret_value() for key in settings.api_keys])
        self._version = _version(self._path)
        self._in_file = _read(self._path) if self._path is not None else ()
        self._usages: dict[Key, Usage] = {}
        """Usage of the keys that have limits."""

    def __len__(self) -> int:
        return len(self._given) + len(self._in_file)

    def find(self, candidates: Iterable[str]) -> Key | None:
        """The key that a request sent, or None.

        Compares all pairs, each in constant time, so that timing reveals neither how much of a key
        was right nor which key.
        """
        self._reload()
        hashes = [digest(each.strip()) for each in islice(candidates, MAX_CANDIDATES)]
        found = None
        for key in (*self._given, *self._in_file):
            for each in hashes:
                if hmac.compare_digest(each, key.digest):
                    found = key
        return found

    def usage(self, key: Key) -> "Usage":
        """What a key has used."""
        return self._usages.setdefault(key, Usage(key))

    def usage_of(self, key_id: str) -> "Usage | None":
        """What the key with this `Key.id` has used; None if there is none, or it has no limits."""
        key = self.with_id(key_id)
        return self.usage(key) if key is not None and key.is_limited else None

    def with_id(self, key_id: str) -> Key | None:
        """The accepted key with this `Key.id`, or None."""
        self._reload()
        return next((key for key in (*self._given, *self._in_file) if key.id == key_id), None)

    def _reload(self) -> None:
        """Read the file if it has changed; keep the old keys if it is malformed."""
        now = self._clock()
        if self._path is None or now - self._checked < CHECK_SECONDS:
            return
        self._checked = now
        version = _version(self._path)
        if version == self._version:
            return
        self._version = version
        try:
            self._in_file = _read(self._path)
        except ConfigurationError as error:
            logger.error("the old keys stay in use: %s", error.message)
        else:
            logger.info("read %d keys from STT_API_KEYS_FILE", len(self._in_file))


def _version(path: Path | None) -> tuple[int, int, int] | None:
    """Changes with the file, also when a mounted secret is replaced."""
    try:
        status = path.stat() if path is not None else None
    except OSError:
        return None
    return status and (status.st_mtime_ns, status.st_size, status.st_ino)


def _read(path: Path) -> tuple[Key, ...]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError(
            "STT_API_KEYS_FILE cannot be read. Expected a text file with one key per line."
        ) from None
    keys = _parse("STT_API_KEYS_FILE", [line for line in lines if line.strip()])
    if not keys:
        raise ConfigurationError("STT_API_KEYS_FILE has no keys. Expected one per line.")
    return keys


def _parse(setting: str, lines: Iterable[str]) -> tuple[Key, ...]:
    try:
        return tuple(Key.parse(line) for line in lines)
    except ValueError as error:
        raise ConfigurationError(f"{setting} has {error}.") from None


class Allowance:
    """What may still be used of something; grows evenly, up to a minute's worth."""

    def __init__(self, per_minute: float, now: float) -> None:
        self.per_minute = per_minute
        self._left, self._then = per_minute, now

    def left(self, now: float) -> float:
        """What is left; negative after more was used than there was."""
        grown = (now - self._then) * self.per_minute / MINUTE_SECONDS
        return min(self.per_minute, self._left + grown)

    def use(self, amount: float, now: float) -> None:
        """Use some."""
        self._left, self._then = self.left(now) - amount, now

    def seconds_until(self, amount: float, now: float) -> float:
        """Time until this much is left."""
        missing = amount - self.left(now)
        return max(0.0, missing * MINUTE_SECONDS / self.per_minute) if self.per_minute else math.inf


class Usage:
    """What one key has used lately."""

    def __init__(self, key: Key, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._allowances = {
            unit: (Allowance(per_minute, clock()), least)
            for unit, per_minute, least in (
                ("requests", key.requests_per_minute, 1.0),
                ("audio-seconds", key.audio_seconds_per_minute, 1e-3),
            )
            if per_minute is not None
        }

    def begin(self) -> None:
        """Count a request.

        Raises:
            RateLimited: an allowance is used up.
        """
        self._check(self._allowances)
        self._use("requests", 1)

    def charge(self, audio_seconds: float) -> None:
        """Count audio, whose length is known only once it is read."""
        self._use("audio-seconds", audio_seconds)

    def check_audio(self) -> None:
        """
        Raises:
            RateLimited: the key may have no more audio transcribed now.
        """
        self._check({"audio-seconds"} & self._allowances.keys())

    def _check(self, units: Iterable[str]) -> None:
        now = self._clock()
        waits = [
            allowance.seconds_until(least, now)
            for allowance, least in (self._allowances[unit] for unit in units)
        ]
        if any(waits):
            seconds = math.ceil(min(86_400.0, max(waits)))
            raise RateLimited(
                f"This key has reached its limit. Left: {self._summary(now)}. Try again in "
                f"{seconds} s.",
                retry_after_seconds=seconds,
            )

    @property
    def headers(self) -> dict[str, str]:
        """What is left, under the names that OpenAI uses."""
        now, headers = self._clock(), {}
        for unit, (each, _) in self._allowances.items():
            headers[f"x-ratelimit-limit-{unit}"] = f"{each.per_minute:g}"
            headers[f"x-ratelimit-remaining-{unit}"] = str(max(0, math.floor(each.left(now))))
            full = min(86_400.0, each.seconds_until(each.per_minute, now))
            headers[f"x-ratelimit-reset-{unit}"] = f"{math.ceil(full)}s"
        return headers

    def _use(self, unit: str, amount: float) -> None:
        if unit in self._allowances:
            self._allowances[unit][0].use(amount, self._clock())

    def _summary(self, now: float) -> str:
        return " and ".join(
            f"{max(0, math.floor(each.left(now)))} of {each.per_minute:g} {unit.replace('-', ' ')} "
            "a minute"
            for unit, (each, _) in self._allowances.items()
        )


current_usage: ContextVar[Usage | None] = ContextVar("current_usage", default=None)
"""That of the key of the current request, if it has limits."""


def charge_live(audio_seconds: float) -> None:
    """Count live audio of the current request towards its key's limit.

    Raises:
        RateLimited: the limit is reached.
    """
    usage = current_usage.get()
    if usage is not None:
        usage.charge(audio_seconds)
        usage.check_audio()


class ChargingObserver:
    """An `Observer` that counts recordings towards their key's limit."""

    def __init__(self, observer: Observer) -> None:
        self.stage, self.batch = observer.stage, observer.batch
        self._observer = observer

    def transcribed(self, audio_seconds: float, wall_seconds: float) -> None:
        """See `Observer`."""
        self._observer.transcribed(audio_seconds, wall_seconds)
        usage = current_usage.get()
        if usage is not None:
            usage.charge(audio_seconds)
