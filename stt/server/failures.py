"""The failure of a request, noted where it happens for its log line and the metrics."""

from starlette.types import Scope

CANCELLED = "cancelled"
"""The client left before the answer. No answer has this code."""


def note_failure(scope: Scope, code: str) -> None:
    """Note a failure by its code."""
    scope.setdefault("state", {})["failure"] = code


def noted_failure(scope: Scope) -> str | None:
    """The code of the failure, or None."""
    failure: str | None = scope.get("state", {}).get("failure")
    return failure
