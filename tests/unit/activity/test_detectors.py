import subprocess
import sys

import numpy as np
import pytest

from stt.activity.base import CHUNK_SAMPLES, Detector
from stt.activity.detectors import Rises, SilenceDetector, SpeechDetector, open_detector
from stt.types import SAMPLE_RATE, Waveform
from tests.unit.activity.clips import clip

CHUNKS_A_SECOND = SAMPLE_RATE / CHUNK_SAMPLES


def noise(seconds: float, level: float) -> Waveform:
    n_samples = round(seconds * CHUNKS_A_SECOND) * CHUNK_SAMPLES
    return np.random.default_rng(0).normal(0, level, n_samples).astype(np.float32)


def speech_detector() -> Detector:
    detector = open_detector("auto", "cpu")
    assert isinstance(detector, SpeechDetector)
    return detector


def test_the_device_decides_who_listens() -> None:
    assert open_detector("off", "cpu") is None
    assert isinstance(open_detector("auto", "cuda:0"), SilenceDetector)


@pytest.mark.parametrize("level", [0.0, 1e-4, 1e-3, 1e-2])
def test_silence_and_steady_noise_are_pauses(level: float) -> None:
    heard = speech_detector().feed(noise(20, level))
    assert heard.mean() < 0.03


@pytest.mark.parametrize("name", ["ko-library.m4a", "ko-class-telephone.wav", "en-music.opus"])
@pytest.mark.parametrize(("gain", "level"), [(1.0, 1e-3), (0.01, 1e-5), (1.0, 0.02)])
def test_speech_is_heard_loud_quiet_and_in_noise(name: str, gain: float, level: float) -> None:
    waveform = clip(name)
    powers = np.square(waveform.reshape(-1, CHUNK_SAMPLES)).mean(axis=1)
    waveform = waveform * np.float32(gain) + np.float32(level) * noise(60, 1.0)[: len(waveform)]
    heard = speech_detector().feed(waveform)
    # What is not heard is within what is computed beside a pause anyway.
    near = np.convolve(heard, np.ones(2 * 12 + 1), "same") > 0
    assert near[powers > np.percentile(powers, 95) / 1000].mean() > 0.99


def test_a_rise_of_the_level_counts_as_speech_until_it_is_the_background() -> None:
    samples = noise(16, 0.001)
    n_loud = round(8 * CHUNKS_A_SECOND) * CHUNK_SAMPLES
    samples[-n_loud:] *= 10
    rises = Rises()
    heard = np.concatenate([rises.feed(block) for block in samples.reshape(10, -1)])
    quiet, loud = np.split(heard, [len(heard) - n_loud // CHUNK_SAMPLES])
    assert not quiet.any()
    assert loud[: round(3.5 * CHUNKS_A_SECOND)].all()
    assert not loud[round(4.5 * CHUNKS_A_SECOND) :].any()


def test_only_digital_silence_is_silent_to_the_cheap_detector() -> None:
    samples = np.zeros(3 * CHUNK_SAMPLES, np.float32)
    samples[CHUNK_SAMPLES + 7] = -4e-4
    assert SilenceDetector().feed(samples).tolist() == [False, True, False]


def test_the_detector_imports_no_model_library() -> None:
    code = (
        "import sys\n"
        "from stt.activity.detectors import open_detector\n"
        "open_detector('auto', 'cpu')\n"
        "heavy = {'torch', 'silero_vad', 'onnxruntime', 'numba'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
