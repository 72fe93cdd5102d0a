"""Fixtures: the real application with a fake engine."""

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

ENDED = ("succeeded", "failed", "cancelled")
Serve = Callable[..., AbstractContextManager[TestClient]]


LOCAL_ONLY = {
    "Ray replaces a replica that dies or hangs, and the ingress's probes do not change; see "
    "tests/unit/cluster/test_cluster.py and tests/e2e/test_cluster.py.": {
        "test_a_dead_inference_thread_answers_503_and_is_restarted_once",
        "test_a_dead_inference_thread_fails_long_recordings_within_a_second",
        "test_a_lost_device_is_503_for_all_requests_and_livez",
        "test_livez_is_503_when_inference_is_stuck_but_not_when_idle",
    },
    "Engine replicas keep their models; STT_CLUSTER refuses the setting.": {
        "test_a_model_that_nobody_uses_is_unloaded_and_loaded_again_for_the_next_request",
        "test_live_streams_keep_their_model",
        "test_a_request_that_cannot_wait_for_the_model_gets_503",
    },
    "The bug is in the engine, which in a replica counts as failed inference.": {
        "test_a_bug_is_500_without_details_and_logged_with_the_request_id",
    },
    "It runs no application, or only reads settings.": {
        "test_a_file_without_keys_does_not_open_the_service",
        "test_an_invalid_list_of_keys_is_refused_without_showing_it",
        "test_every_specified_metric_exists",
        "test_keys_come_from_the_setting_and_from_the_file",
        "test_nothing_is_exported_unless_configured",
        "test_the_table_of_metrics_is_complete",
        "test_no_inference_threads_are_left_behind",
        "test_two_applications_do_not_share_metrics",
        "test_an_invalid_origin_is_a_configuration_error",
        "test_tracing_without_its_extra_names_the_extra",
        "test_local_only_tests_exist",
        "test_what_a_module_starts_is_started_for_each_runtime",
    },
}
"""Tests that do not apply to a cluster, by reason."""
SLOW_IN_A_CLUSTER = {
    "test_channels",
    "test_client_secrets",
    "test_connections",
    "test_hostile",
    "test_jobs",
    "test_openapi",
    "test_realtime",
    "test_speakers",
    "test_subtitles",
    "test_uploads",
    "test_wyoming",
}
"""Modules about code before inference, which is the same in both and takes half a minute."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    names = set().union(*LOCAL_ONLY.values())
    runtimes: list[Any] = ["local"]
    if metafunc.definition.originalname not in names:
        slow = metafunc.module.__name__.rpartition(".")[2] in SLOW_IN_A_CLUSTER
        runtimes.append(pytest.param("cluster", marks=[pytest.mark.slow] if slow else []))
    metafunc.parametrize("runtime", runtimes, indirect=True, scope="module")


@pytest.fixture(scope="module", autouse=True)
def runtime(request: pytest.FixtureRequest) -> Iterator[str]:
    """Where models run in this test: ``local`` or ``cluster``; see `tests.runtimes`.

    Fixtures of a module that start an application have it as an argument.
    """
    with using(request.param):
        yield request.param


@contextmanager
def serve_app(
    *flags: str,
    engine: FakeEngine | None = None,
    readers: ReaderPool | None = None,
    ready: bool = True,
) -> Iterator[TestClient]:
    """Start the application with these settings; waits until it is ready if ``ready``."""
    # What fake engines hear is no speech.
    settings = load_settings(["--vad", "off", *flags])
    app = make_app(settings, engine=engine, readers=readers)
    with TestClient(app, raise_server_exceptions=False) as client:
        deadline = time.monotonic() + 60
        while ready and client.get("/readyz").status_code != 200:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield client


def post_recording(client: TestClient, path: str, wav: bytes, **form: str) -> Any:
    """Post a recording to any way in, under the name that its form has for it."""
    name = "audio_file" if path.startswith("/asr") else "file"
    return client.post(path, files={name: ("a.wav", wav)}, data=form)


def wait_for_job(client: TestClient, location: str) -> dict[str, object]:
    """The job once it has ended."""
    deadline = time.monotonic() + 60
    while (job := client.get(location).json())["state"] not in ENDED:
        assert time.monotonic() < deadline, job
        time.sleep(0.02)
    return job  # type: ignore[no-any-return]


@pytest.fixture
def serve() -> Serve:
    return serve_app


@pytest.fixture(scope="module")
def client(runtime: str) -> Iterator[TestClient]:
    with serve_app("--languages", "KR,EN", engine=FakeEngine()) as client:
        yield client


@pytest.fixture(scope="session")
def wav() -> bytes:
    return with_libsndfile(tones(1.5, 44100, 2), 44100, "WAV")
