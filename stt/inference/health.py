"""Whether the threads of this process can still compute."""

from stt.errors import InferenceDied

MAX_DEATHS = 2
"""A second death suggests that the cause persists."""


class Health:
    """What all inference threads of a process have been through together."""

    def __init__(self) -> None:
        self.n_deaths = 0
        self.lost: str | None = None
        """The error message of a lost device."""

    @property
    def dead(self) -> bool:
        """Whether this process can never compute again."""
        return self.n_deaths >= MAX_DEATHS or self.lost is not None

    @property
    def fault(self) -> str | None:
        """Why this process must be restarted, or None."""
        if self.lost is not None:
            return f"The device is unusable for the rest of this process: {self.lost}"
        if self.dead:
            return f"The inference thread has died {self.n_deaths} times."
        return None

    def check(self) -> None:
        """
        Raises:
            InferenceDied: this process can never compute again.
        """
        if self.dead:
            raise died_for_good()


def died() -> InferenceDied:
    """The error of the batch whose thread died."""
    return InferenceDied(
        "The inference thread died while it computed this recording. Send it again.",
        retry_after_seconds=1.0,
    )


def died_for_good() -> InferenceDied:
    """The error of everything that comes after that."""
    return InferenceDied(
        "The service cannot compute any more and must be restarted. Try again after that.",
        retry_after_seconds=10.0,
    )
