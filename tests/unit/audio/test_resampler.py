import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stt.audio.resampler import Resampler
from stt.types import Waveform
from tests.audio_files import tones


def resampled(samples: Waveform, rate: float, cuts: list[int]) -> Waveform:
    resampler = Resampler(rate)
    blocks = [resampler.feed(block) for block in np.split(samples, sorted(cuts))]
    return np.concatenate([*blocks, resampler.finish()])


@pytest.mark.parametrize("rate", [4000, 8000.0, 16000.0, 44100, 384_000])
def test_samples_equal_librosas(rate: float) -> None:
    samples = tones(0.7, int(rate))[:, 0]
    expected = librosa.resample(samples, orig_sr=rate, target_sr=16000, res_type="soxr_hq")
    assert np.abs(resampled(samples, rate, [100, 1000]) - expected).max() < 1e-4


@given(
    rate=st.sampled_from([8000, 11025, 16000, 22050.5, 48000]),
    cuts=st.lists(st.integers(0, 30_000), max_size=8),
)
@settings(max_examples=40, deadline=None)
def test_block_boundaries_do_not_change_the_result(rate: float, cuts: list[int]) -> None:
    samples = np.random.default_rng(0).normal(0, 0.1, 30_000).astype(np.float32)
    assert np.array_equal(resampled(samples, rate, cuts), resampled(samples, rate, []))
    assert len(resampled(samples, rate, cuts)) == -(-30_000 * 32_000 // int(2 * rate))
