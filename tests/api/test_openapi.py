"""The service matches its OpenAPI description for any input, and never answers 5xx."""

from collections.abc import Iterator
from inspect import iscoroutinefunction

import pytest
import schemathesis
from fastapi.routing import iter_route_contexts
from hypothesis import HealthCheck, settings
from schemathesis.checks import (
    negative_data_rejection,
    positive_data_acceptance,
    unsupported_method,
)

from stt.server.app import create_app
from stt.settings import load_settings
from tests.fakes import FakeEngine
from tests.live import Live, live
from tests.reader_pools import shared_readers

OPEN = ("--languages", "KR,EN")
GUARDED = (*OPEN, "--api-keys", "key")
TAKEN_AS_THEY_ARE = ("/detect-language", "/v1/jobs")
"""Routes that answer before anybody looks into the file, so that any bytes will do. An empty field,
which is as good as none, is then accepted, too."""


def describe(*flags: str) -> schemathesis.BaseSchema:
    app = create_app(load_settings(flags), engine=FakeEngine(), readers=shared_readers())
    return schemathesis.openapi.from_dict(app.openapi())


open_schema, guarded_schema = describe(*OPEN), describe(*GUARDED)
few = settings(deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def running(runtime: str) -> Iterator[Live]:
    with live(*OPEN, "--preload-spacing") as running:
        yield running
        n_tried = sum(
            sample.value
            for family in running.app.state.service.metrics.registry.collect()
            for sample in family.samples
            if sample.name == "stt_request_duration_seconds_count"
        )
        assert n_tried > 100


@pytest.fixture(scope="module")
def guarded(runtime: str) -> Iterator[Live]:
    with live(*GUARDED, "--preload-spacing") as running:
        yield running


def test_no_route_needs_a_thread_before_it_starts() -> None:
    # FastAPI calls plain functions in threads, which wait for Python's lock while the loop is busy.
    app = create_app(load_settings(GUARDED), engine=FakeEngine(), readers=shared_readers())
    waiting = [getattr(context, "dependant", None) for context in iter_route_contexts(app.routes)]
    calls = set()
    while waiting:
        if dependant := waiting.pop():
            waiting += dependant.dependencies
            calls.add(dependant.call)
    assert len(calls) > 20
    plain = {call for call in calls if not iscoroutinefunction(getattr(call, "__func__", call))}
    assert {call for call in plain if not iscoroutinefunction(type(call).__call__)} == set()


@open_schema.parametrize()
@settings(few, max_examples=60)
def test_the_service_matches_its_openapi_description(
    case: schemathesis.Case, running: Live
) -> None:
    # The description accepts any bytes as a file, but few are audio.
    excluded = [positive_data_acceptance]
    if case.path in TAKEN_AS_THEY_ARE:
        excluded.append(negative_data_rejection)
    case.call_and_validate(base_url=running.url, excluded_checks=excluded)


@guarded_schema.parametrize()
@settings(few, max_examples=15)
def test_the_service_matches_its_openapi_description_with_keys(
    case: schemathesis.Case, guarded: Live
) -> None:
    # Without a key, unsupported methods are 401.
    left_out = [positive_data_acceptance, negative_data_rejection, unsupported_method]
    case.call_and_validate(base_url=guarded.url, excluded_checks=left_out)
