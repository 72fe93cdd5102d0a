"""What every test needs."""

import logging
import os
import sys
from collections.abc import Iterator

import pytest

from stt.engines.device import prepare_process

# The tests start a hundred processes that import torch, transformers or Ray. Containers often set
# this variable, and then each of them compiles the same modules anew, for 5 to 20 seconds.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# As the service does: threads of torch that wait would take the cores from the other worker.
prepare_process()

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
"""Files that take longest; they begin first, so that none of them is left for the end.

With ``-n 2`` the first process begins with the first and the third, so that the clusters do not
run at the same time."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, each in its own order."""
    ranks = {f"tests/{name}": rank for rank, name in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(item.nodeid.partition("::")[0], len(LONGEST)))


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Commands set the process's log up; in a test that would outlive its standard error."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
