"""Which runtime the tests of this folder use."""

import re
from pathlib import Path

from fastapi.testclient import TestClient

from tests.api.conftest import LOCAL_ONLY, SLOW_IN_A_CLUSTER, Serve
from tests.fakes import FakeEngine

SOURCES = {path.stem: path.read_text("utf-8") for path in Path(__file__).parent.glob("*.py")}


def test_local_only_tests_exist() -> None:
    named = set().union(*LOCAL_ONLY.values())
    assert named <= set(re.findall(r"^def (test_\w+)", "\n".join(SOURCES.values()), re.MULTILINE))
    assert set(SOURCES) >= SLOW_IN_A_CLUSTER


def test_each_runtime_uses_its_own_scheduler(
    serve: Serve, client: TestClient, runtime: str
) -> None:
    with serve(engine=FakeEngine()) as another:
        for each in (client, another):
            scheduler = type(each.app.state.service.scheduler).__name__  # type: ignore[attr-defined]
            assert scheduler == {"local": "Batcher", "cluster": "Dispatcher"}[runtime]


def test_what_a_module_starts_is_started_for_each_runtime() -> None:
    """Without the argument pytest would keep the local application for the cluster's cases."""
    fixture = re.compile(
        r'@pytest\.fixture\(scope="module"\)\ndef (\w+)\(([^)]*)\) -> Iterator', re.MULTILINE
    )
    found = [each for source in SOURCES.values() for each in fixture.findall(source)]
    assert len(found) > 15
    assert [name for name, arguments in found if "runtime: str" not in arguments] == []
