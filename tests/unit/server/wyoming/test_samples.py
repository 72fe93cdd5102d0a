"""Samples of any shape become what a live session hears."""

import asyncio
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stt.server.wyoming.samples import Samples, Shape

EDGES = np.array([-32768, -1, 0, 1, 256, 32767], "<i2")
"""Samples that are the same in 16, 24 and 32 bits."""


def converted(shape: Shape, data: bytes, cuts: list[int]) -> bytes:
    async def run() -> bytes:
        samples = Samples(shape)
        edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
        parts = [await samples.feed(data[begin:end]) for begin, end in pairwise(edges)]
        return b"".join(parts) + await samples.finish()

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("width", "data"),
    [
        (2, EDGES.tobytes()),
        (3, b"".join(b"\x00" + each.tobytes() for each in EDGES)),
        (4, b"".join(b"\x00\x00" + each.tobytes() for each in EDGES)),
    ],
    ids=["16", "24", "32"],
)
@settings(deadline=None, max_examples=30)
@given(cuts=st.lists(st.integers(0, 30), max_size=5))
def test_wider_samples_keep_their_upper_16_bits(width: int, data: bytes, cuts: list[int]) -> None:
    shape = Shape(rate=16_000, width=width, channels=1)
    assert converted(shape, data, cuts) == EDGES.tobytes()


def test_samples_of_one_byte_are_unsigned() -> None:
    shape = Shape(rate=8_000, width=1, channels=1)
    pcm = converted(shape, bytes([0, 127, 128, 129, 255]), [])
    assert np.frombuffer(pcm, "<i2").tolist() == [-32768, -256, 0, 256, 32512]


def test_wide_samples_round_without_overflow() -> None:
    shape = Shape(rate=16_000, width=4, channels=1)
    pcm = converted(shape, np.array([2**31 - 1, -(2**31), 2**15, 2**15 - 1], "<i4").tobytes(), [])
    assert np.frombuffer(pcm, "<i2").tolist()[:2] == [32767, -32768]


@settings(deadline=None, max_examples=30)  # the first mix imports librosa
@given(cuts=st.lists(st.integers(0, 8_000), max_size=4))
def test_channels_become_their_mean_and_an_unfinished_frame_is_dropped(cuts: list[int]) -> None:
    left = np.arange(1_000, dtype="<i2")
    stereo = np.stack([left, left + 100], axis=1).astype("<i2").tobytes()
    pcm = converted(Shape(rate=4_000, width=2, channels=2), stereo + b"\1\2\3", cuts)
    assert np.frombuffer(pcm, "<i2").tolist() == (left + 50).tolist()


def test_channels_that_cancel_each_other_are_still_heard_in_small_chunks() -> None:
    speech = (np.sin(np.arange(16_000) / 5) * 8_000).astype("<i2")
    stereo = np.stack([speech, -speech], axis=1).tobytes()
    pcm = converted(Shape(rate=16_000, width=2, channels=2), stereo, list(range(0, 64_000, 2_048)))
    heard = np.frombuffer(pcm, "<i2").astype(np.float64)
    assert len(heard) == len(speech)
    assert np.sqrt(np.mean(heard**2)) > 5_000
