"""The real application with a fake engine: everything but recognition."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from fastapi.testclient import TestClient

from stt.audio.pool import ReaderPool
from stt.settings import load_settings
from tests.audio_files import tones, with_libsndfile
from tests.fakes import FakeEngine
from tests.runtimes import make_app, using

Serve = Callable[..., AbstractContextManager[TestClient]]


LOCAL_ONLY = {
    "An engine replica whose thread ends or whose forward is stuck fails Ray's health check and is "
    "replaced; its windows go to another, and an ingress's probes stay as they are. That is in "
    "tests/unit/cluster/test_cluster.py and tests/e2e/test_cluster.py.": {
        "test_when_the_inference_thread_dies_waiters_get_503_and_it_is_restarted_once",
        "test_when_the_inference_thread_dies_the_long_recordings_hear_of_it_within_a_second",
        "test_a_device_that_is_lost_is_503_for_all_and_on_livez",
        "test_stuck_is_503_on_livez_and_idle_is_not_stuck",
    },
    "The bug is in the engine: in a replica of its own it is a failed inference.": {
        "test_a_bug_is_a_500_that_tells_nothing_and_is_logged_with_the_id",
    },
    "There is no application in it, or only its settings.": {
        "test_a_file_without_keys_does_not_open_the_service",
        "test_a_wrong_list_of_keys_is_told_without_showing_it",
        "test_every_metric_of_the_specification_is_there",
        "test_keys_come_from_the_setting_and_from_the_file",
        "test_nothing_is_exported_unless_asked_for",
        "test_the_table_of_metrics_is_what_there_is",
        "test_threads_do_not_pile_up",
        "test_two_applications_do_not_share_metrics",
        "test_what_is_no_origin_is_a_sentence",
        "test_without_the_extra_asking_for_it_is_a_sentence",
        "test_what_is_left_out_of_the_cluster_exists",
    },
}
"""Tests that mean nothing in a cluster, by the reason."""
SLOW_IN_A_CLUSTER = {"test_hostile", "test_openapi", "test_uploads"}
"""Modules about what comes before any window: the same code in both, and half a minute."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    names = set().union(*LOCAL_ONLY.values())
    runtimes: list[Any] = ["local"]
    if metafunc.definition.originalname not in names:
        slow = metafunc.module.__name__.rpartition(".")[2] in SLOW_IN_A_CLUSTER
        runtimes.append(pytest.param("cluster", marks=[pytest.mark.slow] if slow else []))
    metafunc.parametrize("runtime", runtimes, indirect=True, scope="module")


@pytest.fixture(scope="module", autouse=True)
def runtime(request: pytest.FixtureRequest) -> Iterator[str]:
    """What computes in this test: ``local`` or ``cluster``; see `tests.runtimes`."""
    with using(request.param):
        yield request.param


@contextmanager
def serve_app(
    *flags: str,
    engine: FakeEngine | None = None,
    readers: ReaderPool | None = None,
    ready: bool = True,
) -> Iterator[TestClient]:
    """Start the application with these settings; wait for it to be ready unless told not to."""
    app = make_app(load_settings(flags), engine=engine, readers=readers)
    with TestClient(app, raise_server_exceptions=False) as client:
        deadline = time.monotonic() + 60
        while ready and client.get("/readyz").status_code != 200:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield client


@pytest.fixture
def serve() -> Serve:
    return serve_app


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with serve_app("--languages", "KR,EN", engine=FakeEngine()) as client:
        yield client


@pytest.fixture(scope="session")
def wav() -> bytes:
    return with_libsndfile(tones(1.5, 44100, 2), 44100, "WAV")
