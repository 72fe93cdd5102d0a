import os
from contextlib import closing
from mmap import mmap

import pytest

from benchmarks.workers import Unavailable, Worker, memory_of, use_threads


class Host:
    """The object that a worker runs."""

    def __init__(self, limit: int) -> None:
        if limit < 0:
            raise ImportError("No module named 'missing.part'", name="missing.part")
        self._sum, self._limit = 0, limit

    def add(self, number: int) -> int:
        self._sum += number
        if self._sum > self._limit:
            raise ValueError(f"{self._sum} is more than {self._limit}")
        return self._sum

    def end(self) -> None:
        os._exit(9)

    def cores(self, count: int) -> int:
        use_threads(count)
        return len(os.sched_getaffinity(0))


def test_a_worker_keeps_its_object_and_survives_errors() -> None:
    with closing(Worker(Host, 5)) as worker:
        assert [worker.ask("add", 2), worker.ask("add", 3)] == [2, 5]
        with pytest.raises(RuntimeError, match="6 is more than 5"):
            worker.ask("add", 1)
        assert worker.ask("add", -3) == 3


def test_a_missing_package_is_named_with_its_install_command() -> None:
    with pytest.raises(Unavailable, match="package missing is not installed"):
        Worker(Host, -1)


def test_a_dead_worker_reports_its_exit_code() -> None:
    with closing(Worker(Host, 5)) as worker, pytest.raises(RuntimeError, match="exit code 9"):
        worker.ask("end")


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="only Linux has it")
def test_a_worker_is_limited_to_its_cores() -> None:
    with closing(Worker(Host, 5)) as worker:
        assert worker.ask("cores", 1) == 1


def test_memory_counts_touched_pages() -> None:
    before = memory_of()
    block = mmap(-1, 50_000_000)  # the heap may reuse pages that were touched before
    block.write(os.urandom(1000) * 50_000)
    during = memory_of()
    assert during.resident - before.resident > 0.8 * len(block) / 1e6
    assert during.peak >= during.resident * 0.99
    assert memory_of(os.getpid()).resident >= during.resident * 0.9
