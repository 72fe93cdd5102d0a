"""Where turns begin and end, with probabilities that the test sets for each chunk."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from stt.activity.base import CHUNK_SAMPLES
from stt.activity.turns import TurnConfig, Turns
from stt.types import Waveform

CHUNK_SECONDS = CHUNK_SAMPLES / 16_000


class AsGiven:
    """The probability of a chunk is its first sample."""

    def feed(self, samples: Waveform) -> NDArray[np.float32]:
        return samples[::CHUNK_SAMPLES]


def boundaries(
    tenths: str, *, threshold: float = 0.5, silence_chunks: float = 2, cut: int = 10**6
) -> list[tuple[int, bool]]:
    """Chunk and kind of each boundary; a digit is a chunk's probability in tenths."""
    config = TurnConfig(threshold, silence_chunks * CHUNK_SECONDS)
    turns = Turns(AsGiven(), config)
    levels = np.array([int(digit) / 10 for digit in tenths], np.float32)
    samples = np.repeat(levels, CHUNK_SAMPLES)
    found = []
    for begin in range(0, len(samples), cut):
        found += turns.feed(samples[begin : begin + cut])
    assert turns.heard_samples == len(samples)
    return [(each.sample // CHUNK_SAMPLES, each.begins) for each in found]


@pytest.mark.parametrize(
    ("tenths", "expected"),
    [
        ("0000", []),
        ("0990", [(1, True)]),
        ("09900", [(1, True), (5, False)]),
        ("0909000", [(1, True), (6, False)]),  # one silent chunk is not enough
        ("90090", [(0, True), (3, False), (3, True)]),
        ("6400", [(0, True), (4, False)]),  # a little below the threshold it goes on
        ("4444", []),
    ],
)
def test_a_turn_ends_with_its_silence(tenths: str, expected: list[tuple[int, bool]]) -> None:
    assert boundaries(tenths) == expected


def test_the_threshold_and_the_silence_matter() -> None:
    assert boundaries("0700000", threshold=0.8) == []
    assert boundaries("0700000", threshold=0.6) == [(1, True), (4, False)]
    assert boundaries("0700000", threshold=0.6, silence_chunks=4) == [(1, True), (6, False)]
    assert boundaries("0700000", threshold=0.6, silence_chunks=0) == [(1, True), (3, False)]
    assert boundaries("000", threshold=0.0) == [(0, True), (3, False)]


@given(tenths=st.text("0123456789", max_size=40), cut=st.integers(1, 3 * CHUNK_SAMPLES))
def test_turns_do_not_depend_on_the_cuts_and_begin_and_end_in_turn(tenths: str, cut: int) -> None:
    found = boundaries(tenths, cut=max(cut, 97))
    assert found == boundaries(tenths)
    assert [begins for _, begins in found] == [index % 2 == 0 for index in range(len(found))]
