"""What every test needs."""

import logging
import os
import sys
from collections.abc import Iterator

import pytest

from stt.engine import prepare_process

# The tests start a hundred processes that import torch, transformers or Ray. Containers often set
# this variable, and then each of them compiles the same modules anew, for 5 to 20 seconds.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# As the service does: threads of torch that wait would take the cores from the other worker.
prepare_process()


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Commands set the process's log up; in a test that would outlive its standard error."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
