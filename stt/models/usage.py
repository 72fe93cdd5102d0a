"""Who uses which model, so that one that nobody uses can be unloaded."""

import asyncio
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from stt.notices import Code, Notice


@dataclass
class Lease:
    """The models of one request, which stay loaded until it ends."""

    deadline: float = math.inf
    """Time of the event loop up to which it may wait for a model."""
    holds: ExitStack = field(default_factory=ExitStack)
    """What to release at its end."""
    notices: list[Notice] = field(default_factory=list)

    held: set[str] = field(default_factory=set)
    """Language codes of the models that it keeps."""

    def hold(self, code: str, using: Callable[[str], AbstractContextManager[None]]) -> None:
        """Keep a model, by what ``using`` opens, until the end; further calls do nothing."""
        if code not in self.held:
            self.held.add(code)
            self.holds.enter_context(using(code))

    def waited(self, seconds: float) -> None:
        """Note that it had to wait for a model."""
        message = (
            "Nobody had used the model for a while, so it had been unloaded. It was loaded again "
            f"for this request, which took {seconds:.1f} s."
        )
        self.notices.append(Notice(Code.MODEL_LOADED, message))


current_lease: ContextVar[Lease | None] = ContextVar("current_lease", default=None)
"""The lease of the current request."""


@contextmanager
def leasing(seconds: float = math.inf) -> Iterator[None]:
    """Keep the models that are asked for within the block until its end.

    Args:
        seconds: How long it may wait for a model.
    """
    lease = Lease(asyncio.get_running_loop().time() + seconds)
    token = current_lease.set(lease)
    try:
        with lease.holds:
            yield
    finally:
        current_lease.reset(token)


def lease_notices() -> tuple[Notice, ...]:
    """What the current request is told about its models."""
    lease = current_lease.get()
    return () if lease is None else tuple(lease.notices)


class Usage:
    """How many requests use each model, and since when none does."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """``clock`` returns seconds; for tests."""
        self._clock = clock
        self._users: Counter[str] = Counter()
        self._last: dict[str, float] = {}

    def touch(self, code: str) -> None:
        """Note that a language's model is used now."""
        self._last[code] = self._clock()

    @contextmanager
    def using(self, code: str) -> Iterator[None]:
        """Count a user of a language's model."""
        self._users[code] += 1
        try:
            yield
        finally:
            self._users[code] -= 1
            self.touch(code)

    def unused_seconds(self, code: str) -> float:
        """For how long nobody has used it; 0 while somebody does."""
        if self._users[code]:
            return 0.0
        return self._clock() - self._last.get(code, -math.inf)
