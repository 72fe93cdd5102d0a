"""Trace context of the W3C: one id for a request on its way through several services.

https://www.w3.org/TR/trace-context/ (the request's ``traceparent``) and
https://w3c.github.io/trace-context/#traceresponse-header (what an answer may say).
"""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
SAMPLED = 0x01


@dataclass(frozen=True)
class TraceContext:
    """The trace that a request belongs to, and this service's part of it."""

    trace_id: str
    """32 hexadecimal digits."""
    span_id: str
    """16 hexadecimal digits; ours, new for each request."""
    sampled: bool
    """Whether somebody records this trace."""

    @property
    def traceresponse(self) -> str:
        """The header of the answer."""
        return f"00-{self.trace_id}-{self.span_id}-{SAMPLED if self.sampled else 0:02x}"


def continue_trace(headers: Sequence[str]) -> TraceContext:
    """Take part in the trace of these ``traceparent`` headers, or begin one if that cannot be."""
    span_id = secrets.token_hex(8)
    # Of several headers none can be trusted, as of one that is malformed.
    found = TRACEPARENT.fullmatch(headers[0].strip(" \t")) if len(headers) == 1 else None
    if found is not None:
        version, trace_id, parent_id, flags, rest = found.groups()
        known = version != "ff" and (version != "00" or not rest)
        if known and int(trace_id, 16) and int(parent_id, 16):
            return TraceContext(trace_id, span_id, bool(int(flags, 16) & SAMPLED))
    return TraceContext(secrets.token_hex(16), span_id, sampled=False)
