"""Which headers of https://www.w3.org/TR/trace-context/ continue a trace."""

import re

import pytest

from stt.observability.tracing import log_fields, trace_of_request, traceresponse

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize(
    ("header", "sampled"),
    [
        (f"00-{TRACE}-{PARENT}-01", True),
        (f"00-{TRACE}-{PARENT}-00", False),
        (f"  00-{TRACE}-{PARENT}-01\t", True),
        (f"00-{TRACE}-{PARENT}-03", True),
        (f"00-{TRACE}-{PARENT}-fe", False),
        # A future version may append fields after a dash.
        (f"cc-{TRACE}-{PARENT}-01", True),
        (f"cc-{TRACE}-{PARENT}-01-what-the-future-will-be-like", True),
    ],
)
def test_a_valid_header_continues_the_trace(header: str, sampled: bool) -> None:
    trace = trace_of_request([header])
    fields = log_fields(trace)
    assert fields["trace_id"] == TRACE
    assert re.fullmatch(r"[0-9a-f]{16}", fields["span_id"])
    assert fields["span_id"] != PARENT
    assert traceresponse(trace) == f"00-{TRACE}-{fields['span_id']}-{'01' if sampled else '00'}"


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [""],
        [f"00-{TRACE}-{PARENT}-01", f"00-{TRACE}-{PARENT}-01"],
        [f"00-{TRACE.upper()}-{PARENT}-01"],
        [f"00-{'0' * 32}-{PARENT}-01"],
        [f"00-{TRACE}-{'0' * 16}-01"],
        [f"ff-{TRACE}-{PARENT}-01"],
        [f"00-{TRACE}-{PARENT}-01-more"],
        [f"cc-{TRACE}-{PARENT}-01.more"],
        [f"00-{TRACE}-{PARENT}"],
        [f"00-{TRACE}-{PARENT}-1"],
        [f"00-{TRACE[1:]}-{PARENT}-01"],
        [f"00-{TRACE}-{PARENT}-01\r\nX: y"],
        ["00-٠bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"],
    ],
)
def test_any_other_header_starts_a_new_trace(headers: list[str]) -> None:
    trace = trace_of_request(headers)
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00", traceresponse(trace))
    assert log_fields(trace)["trace_id"] != TRACE
    assert trace_of_request(headers).trace_id != trace.trace_id
