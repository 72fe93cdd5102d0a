import numpy as np
import pytest

from stt.audio.noise import MOST_DB, NoiseMeter
from stt.types import SAMPLE_RATE, Waveform

RANDOM = np.random.default_rng(0)


def speech(db: float) -> Waveform:
    """Bursts of 0.3 s with pauses of 0.2 s, in white noise so many dB below them; ``[n]``."""
    time = np.arange(4 * SAMPLE_RATE) / SAMPLE_RATE
    bursts = np.sin(2 * np.pi * 300 * time) * (time % 0.5 < 0.3)
    noise = RANDOM.normal(0, np.sqrt(0.5 / 10 ** (db / 10)), len(time))
    return (0.1 * (bursts + noise)).astype(np.float32)


def measure(waveform: Waveform, n_blocks: int = 1) -> float | None:
    meter = NoiseMeter()
    for block in np.array_split(waveform, n_blocks):
        meter.feed(block)
    return meter.snr_db


@pytest.mark.parametrize("db", [10, 20, 30, 40])
def test_known_noise_is_measured_to_2_db(db: float) -> None:
    assert measure(speech(db)) == pytest.approx(db, abs=2)


def test_the_blocks_do_not_matter() -> None:
    waveform = speech(20)
    assert measure(waveform, 7) == pytest.approx(measure(waveform))


def test_digital_silence_between_words_gives_the_most() -> None:
    assert measure(speech(200)) == MOST_DB


def test_without_speech_there_is_no_ratio() -> None:
    assert measure(np.zeros(0, np.float32)) is None
    assert measure(np.zeros(SAMPLE_RATE, np.float32)) is None
    assert measure(RANDOM.normal(0, 0.1, SAMPLE_RATE).astype(np.float32)) is None
