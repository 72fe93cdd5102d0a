import subprocess
import sys

import numpy as np
import pytest
from numpy.typing import NDArray

from stt.activity.base import CHUNK_SAMPLES, Detector
from stt.activity.detectors import (
    LOW_CHUNKS,
    SPEECH_PROBABILITY,
    NothingToHear,
    Rises,
    SilenceDetector,
    SpeechDetector,
    open_detector,
    open_silero,
)
from stt.activity.pauses import Pause, Pauses
from stt.activity.silero import Silero
from stt.recognition.chunking import CUT_SECONDS, WindowCutter
from stt.types import SAMPLE_RATE, FrameGrid, Waveform
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
    samples = noise(20, level)
    heard = np.ones(len(samples), np.bool_)
    for pause in pauses_found(speech_detector(), samples):
        heard[pause.begin : pause.end] = False
    assert heard.mean() < 0.03


@pytest.mark.parametrize("name", ["ko-library.m4a", "ko-class-telephone.wav", "en-music.opus"])
@pytest.mark.parametrize(("gain", "level"), [(1.0, 1e-3), (0.01, 1e-5), (1.0, 0.02)])
def test_speech_is_heard_loud_quiet_and_in_noise(name: str, gain: float, level: float) -> None:
    waveform = clip(name)
    powers = np.square(waveform.reshape(-1, CHUNK_SAMPLES)).mean(axis=1)
    waveform = waveform * np.float32(gain) + np.float32(level) * noise(60, 1.0)[: len(waveform)]
    heard = np.ones(len(powers), np.bool_)
    for pause in pauses_found(speech_detector(), waveform):
        heard[pause.begin // CHUNK_SAMPLES : pause.end // CHUNK_SAMPLES] = False
    # What is not heard is within what is computed beside a pause anyway.
    near = np.convolve(heard, np.ones(2 * 12 + 1), "same") > 0
    assert near[powers > np.percentile(powers, 95) / 1000].mean() > 0.99


def talk_with_pauses() -> Waveform:
    """Speech, pauses of 0.1 to 1.5 s, and a room's noise."""
    names = ["ko-library.m4a", "en-music.opus", "ko-class-telephone.wav"]
    words = np.concatenate([clip(name) for name in names])
    pieces = np.split(words, range(20_480, len(words), 20_480))
    silences = np.linspace(0.1, 1.5, len(pieces))
    samples = np.concatenate(
        [part for piece, s in zip(pieces, silences, strict=True) for part in (piece, noise(s, 0))]
    )
    return samples + noise(60, 1e-3)[: len(samples)]


def pauses_found(detector: Detector, samples: Waveform, blocks: int = 1) -> list[Pause]:
    pauses = Pauses(detector)
    for block in np.array_split(samples, blocks):
        pauses.feed(block)
    return [pause for pause in pauses.after(0) if pause.length > LOW_CHUNKS * CHUNK_SAMPLES]


@pytest.mark.parametrize("blocks", [2, 7, 100, 997])
def test_blocks_do_not_matter(blocks: int) -> None:
    samples = talk_with_pauses()
    whole = pauses_found(SpeechDetector(), samples)
    assert len(whole) > 4
    assert pauses_found(SpeechDetector(), samples, blocks) == whole


def test_silero_finds_as_much_in_parts_as_in_the_whole() -> None:
    class Everywhere:
        """Asks Silero about every chunk."""

        least_chunks, lead_chunks = LOW_CHUNKS, 0

        def feed(self, samples: Waveform) -> NDArray[np.bool_]:
            return ~((open_silero().feed(samples) >= SPEECH_PROBABILITY) | Rises().feed(samples))

        def listen(self) -> NothingToHear:
            return NothingToHear()

    samples = talk_with_pauses()
    parts, whole = np.zeros((2, len(samples)), np.bool_)
    for is_pause, detector in ((parts, SpeechDetector()), (whole, Everywhere())):
        for pause in pauses_found(detector, samples):
            is_pause[pause.begin : pause.end] = True
    assert whole.mean() > 0.2
    assert (parts & ~whole).mean() < 0.005
    assert (whole & ~parts).mean() < 0.02


def test_all_pauses_that_windows_are_cut_in_are_found() -> None:
    assert LOW_CHUNKS * CHUNK_SAMPLES <= CUT_SECONDS * SAMPLE_RATE


@pytest.mark.parametrize(("seconds", "share"), [(15, 0.0), (120, 0.15)])
def test_little_of_speech_is_shown_to_silero(
    monkeypatch: pytest.MonkeyPatch, seconds: int, share: float
) -> None:
    n_shown = 0

    def count(self: Silero, samples: Waveform) -> NDArray[np.float32]:
        nonlocal n_shown
        n_shown += len(samples)
        return feed(self, samples)

    feed = Silero.feed
    monkeypatch.setattr(Silero, "feed", count)
    samples = np.tile(clip("ko-library.m4a"), 50)[: seconds * SAMPLE_RATE]
    cutter = WindowCutter(
        FrameGrid(stride_samples=320, receptive_samples=400), window_seconds=20,
        context_seconds=2, cut_search_seconds=2, detector=SpeechDetector(),
    )  # fmt: skip
    for block in np.split(samples, range(SAMPLE_RATE, len(samples), SAMPLE_RATE)):
        cutter.feed(block)
    cutter.finish()
    assert n_shown <= share * len(samples)


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
    assert SilenceDetector().feed(samples).tolist() == [True, False, True]


def test_the_detector_imports_no_model_library() -> None:
    code = (
        "import sys\n"
        "from stt.activity.detectors import open_detector\n"
        "open_detector('auto', 'cpu')\n"
        "heavy = {'torch', 'silero_vad', 'onnxruntime', 'numba'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
