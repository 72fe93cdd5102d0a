"""How far a model is on its way to being ready."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from stt.errors import ModelBroken, ModelLoading
from stt.languages import Language

POLL_SECONDS = 5.0
"""How long a client should wait before it asks again for a model that is loading."""


class Status(StrEnum):
    """Whether a model can be used."""

    LOADING = "loading"
    READY = "ready"
    IDLE = "idle"
    """Unloaded because nobody used it; the next request loads it again."""
    FAILED = "failed"


@dataclass(frozen=True)
class LoadState:
    """One model's progress at one moment."""

    status: Status = Status.LOADING
    step: str = "waiting"
    """Current step: waiting, fetching, reading, warming, ready, idle or failed."""
    bytes_done: int = 0
    bytes_total: int = 0
    """Size of the download; 0 if nothing has to be fetched."""
    reason: str | None = None
    """Why it failed, or why the last attempt did, and what to do."""
    warning: str | None = None
    """Why a ready model is slower than it could be, and what to do."""
    load_seconds: float = 0.0
    """From start to ready, the last time; 0 before."""
    next_try: float | None = None
    """`time.monotonic` of the next attempt, if one is scheduled."""

    @property
    def retry_in_seconds(self) -> float | None:
        """Seconds to the next attempt, if one is scheduled."""
        return None if self.next_try is None else max(0.0, self.next_try - time.monotonic())


def overall(states: Iterable[LoadState]) -> Status:
    """Status of several models: failed if any is, ready if all are ready or idle."""
    statuses = {state.status for state in states}
    for status in (Status.FAILED, Status.LOADING):
        if status in statuses:
            return status
    return Status.READY


def check_ready(language: Language, state: LoadState) -> None:
    """
    Raises:
        ModelLoading: the model is not loaded.
        ModelBroken: the model failed for good.
    """
    if state.status is Status.FAILED:
        raise ModelBroken(f"The model for {language.name} cannot be used. {state.reason}")
    if state.status in (Status.LOADING, Status.IDLE):
        wait = state.retry_in_seconds
        raise ModelLoading(
            f"The model for {language.name} is not ready yet; see GET /health for its progress.",
            retry_after_seconds=POLL_SECONDS if wait is None else max(1.0, wait),
        )
