"""Fixtures and ordering for all tests."""

import logging
import os
import sys
import tempfile
from collections.abc import Iterator

import pytest
from hypothesis import settings

from stt.engines.device import prepare_process

# The tests start a hundred processes that import torch, transformers or Ray. Containers often set
# this variable, which makes each of them recompile the same modules for 5 to 20 seconds.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# Jobs of the tests are not the user's.
os.environ["STT_STATE_DIR"] = tempfile.mkdtemp(prefix="stt-tests-")
# As the service does: idle torch threads would take the cores from the other test worker.
prepare_process()

# No example has to be ready within 200 ms: a busy machine needs longer.
settings.register_profile("unhurried", settings.default, deadline=None)
settings.load_profile("unhurried")

LONGEST = (
    "e2e/test_cluster.py",
    "e2e/test_snippets.py",
    "e2e/test_cluster_engines.py",
    "unit/engines/test_openvino.py",
    "e2e/test_cli.py",
    "e2e/test_stream.py",
    "e2e/test_hub.py",
    "unit/recognition/test_bundled.py",
    "e2e/test_draining.py",
)
"""The slowest files start first, so that none is left for the end.

With ``-n 2`` the first process starts with the first and the third, so that the two clusters never
run at once."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the slowest files first; keep the order within each."""
    ranks = {f"tests/{name}": rank for rank, name in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(item.nodeid.partition("::")[0], len(LONGEST)))


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Undo a command's logging setup, whose handler would outlive the test's standard error."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
