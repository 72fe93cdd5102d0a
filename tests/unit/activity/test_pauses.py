import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stt.activity.base import CHUNK_SAMPLES
from stt.activity.pauses import Pause, Pauses
from stt.types import Waveform
from tests.fakes import Loud


class Slow(Loud):
    """Finds a pause at its third chunk."""

    lag_chunks = 2

    _n_quiet = 0

    def feed(self, samples: Waveform) -> NDArray[np.bool_]:
        has_speech = super().feed(samples)
        for index, is_loud in enumerate(has_speech):
            self._n_quiet = 0 if is_loud else self._n_quiet + 1
            has_speech[index] = self._n_quiet <= self.lag_chunks
        return has_speech


def heard(pattern: str, blocks: int = 1, more: int = 0, detector: Loud | None = None) -> Pauses:
    """The pauses of chunks, ``-`` or ``#``, and some samples."""
    chunks = np.repeat([float(char == "#") for char in pattern], CHUNK_SAMPLES)
    pauses = Pauses(detector or Loud())
    for block in np.array_split(np.append(chunks, np.zeros(more)).astype(np.float32), blocks):
        pauses.feed(block)
    return pauses


def test_pauses_are_runs_of_quiet_chunks() -> None:
    pauses = heard("--##---#-", more=100)
    found = [(pause.begin // 512, pause.end // 512, pause.is_open) for pause in pauses.after(0)]
    assert found == [(0, 2, False), (4, 7, False), (8, 9, True)]
    assert [pause.begin // 512 for pause in pauses.after(2 * 512)] == [4, 8]
    pauses.forget_before(7 * 512)
    assert pauses.after(0) == [Pause(8 * 512, 9 * 512, is_open=True)]


@given(pattern=st.text("-#", max_size=30), blocks=st.integers(1, 40), more=st.integers(0, 511))
@settings(max_examples=80, deadline=None)
def test_blocks_do_not_matter(pattern: str, blocks: int, more: int) -> None:
    assert heard(pattern, blocks, more).after(0) == heard(pattern).after(0)


@given(pattern=st.text("-#", max_size=30), blocks=st.integers(1, 40), more=st.integers(0, 511))
@settings(max_examples=80, deadline=None)
def test_a_pause_that_is_found_late_has_its_beginning(pattern: str, blocks: int, more: int) -> None:
    found = heard(pattern, blocks, more, Slow()).after(0)
    assert found == [pause for pause in heard(pattern).after(0) if pause.length >= 3 * 512]


def test_a_range_is_covered_by_what_was_heard_up_to_its_end() -> None:
    pauses = heard("##----#")
    assert pauses.cover(2 * 512, 6 * 512)
    assert pauses.cover(2 * 512 + 40, 6 * 512 + 511)
    assert not pauses.cover(2 * 512, 7 * 512)
    assert not pauses.cover(2 * 512 - 1, 6 * 512)
    assert pauses.cover(3 * 512 + 1, 3 * 512 + 9)
