"""Audio that is still to be computed, by hand-sized examples."""

from collections.abc import Iterator
from io import BytesIO
from typing import BinaryIO

import numpy as np
import pytest

from stt.errors import Overloaded
from stt.inference.batcher import Batcher
from stt.inference.fairness import current_client
from stt.notices import Report
from stt.server.backlog import Backlog, CountedBlocks
from stt.settings import load_settings
from stt.types import SAMPLE_RATE, Waveform


class Hundred:
    """A recording that seems to be a hundred seconds long; a block is ten."""

    expected_seconds = 100.0
    report = Report()

    def __iter__(self) -> Iterator[Waveform]:
        return self

    def __next__(self) -> Waveform:
        return np.zeros(10 * SAMPLE_RATE, np.float32)

    def close(self) -> None:
        pass


def read(
    source: BinaryIO, *, max_seconds: float, track: int | None = None, split: bool = False
) -> Hundred:
    return Hundred()


@pytest.fixture
def backlog() -> Backlog:
    """For 200 s of audio."""
    flags = ["--max-audio-seconds", "200", "--request-timeout-seconds", "100"]
    return Backlog(load_settings(flags))


def begin(backlog: Backlog, client: str) -> CountedBlocks:
    """Start a recording, whose speed the scheduler takes for 1."""
    token = current_client.set(client)
    blocks = backlog.counting(read, Batcher())(BytesIO(), max_seconds=200)
    current_client.reset(token)
    next(blocks)
    assert isinstance(blocks, CountedBlocks)
    return blocks


def test_recordings_count_with_what_is_left_of_them(backlog: Backlog) -> None:
    first, second = begin(backlog, "a"), begin(backlog, "b")
    assert backlog.seconds() == {"a": 90.0, "b": 90.0}
    next(first)
    assert backlog.seconds() == {"a": 80.0, "b": 90.0}
    second.close()
    assert backlog.seconds() == {"a": 80.0}


def test_a_client_is_refused_once_others_and_its_own_recordings_fill_the_limit(
    backlog: Backlog,
) -> None:
    held = [begin(backlog, "a") for _ in range(3)]
    with pytest.raises(Overloaded, match="of 4 minutes in all; the limit is 3 minutes") as caught:
        begin(backlog, "a")
    assert caught.value.retry_after_seconds == 70  # until 200 s of 270 are left, at a speed of 1
    begin(backlog, "b")
    backlog.check("b", 1.0)
    backlog.check("a", 4.0)  # a model four times as fast has room for 400 s
    held.pop().close()
    with pytest.raises(Overloaded):
        backlog.check("a", 1.0)


def test_the_time_until_a_place_is_free_is_that_of_the_shortest_recording(
    backlog: Backlog,
) -> None:
    assert backlog.seconds_until_place("a", 1.0) == 0
    short, _ = begin(backlog, "a"), begin(backlog, "a")
    for _ in range(6):
        next(short)
    assert backlog.seconds_until_place("a", 2.0) == 30  # two recordings share a speed of 2
    assert backlog.seconds_until_place("b", 1e-6) == 3600


def test_what_fails_while_it_is_read_counts_no_longer(backlog: Backlog) -> None:
    class Broken(Hundred):
        def __next__(self) -> Waveform:
            raise OSError(5)

    begin(backlog, "a")
    broken = CountedBlocks(Broken(), "b", backlog, Batcher())
    backlog.add(broken, 1.0)
    with pytest.raises(OSError, match="5"):
        next(broken)
    assert list(backlog.seconds()) == ["a"]
