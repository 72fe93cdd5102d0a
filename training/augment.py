"""Noise, telephone lines and silence added to clean speech in training."""

import math

import numpy as np

from training.corpus import SAMPLE_RATE

_POOL_SECONDS = 130
COLOURS = {"white": 0.0, "pink": 0.5, "brown": 1.0}
"""Exponent of 1/f of the amplitude."""


def coloured_noise(n_samples: int, exponent: float, rng: np.random.Generator) -> np.ndarray:
    """``[n_samples] float32`` of unit variance whose amplitude falls as ``1 / f**exponent``."""
    spectrum = np.fft.rfft(rng.standard_normal(n_samples))
    frequencies = np.arange(len(spectrum), dtype=np.float64)
    frequencies[0] = 1.0
    noise = np.fft.irfft(spectrum / frequencies**exponent, n_samples)
    noise -= noise.mean()
    return (noise / noise.std()).astype(np.float32)


def hum(n_samples: int, base_hertz: float, rng: np.random.Generator) -> np.ndarray:
    """Mains hum with a few weakening harmonics: ``[n_samples] float32`` of unit variance."""
    seconds = np.arange(n_samples, dtype=np.float32) / SAMPLE_RATE
    wave = np.zeros(n_samples, np.float32)
    for harmonic in (1, 2, 3, 5):
        strength, phase = rng.uniform(0, 1) / harmonic, rng.uniform(0, 2 * math.pi)
        wave += strength * np.sin(2 * math.pi * base_hertz * harmonic * seconds + phase)
    return wave / (float(wave.std()) + 1e-9)


def normalise(waveform: np.ndarray) -> np.ndarray:
    """Scale to zero mean and unit variance, with the formula of transformers."""
    centred = waveform - waveform.mean()
    return centred / math.sqrt(float(centred.var()) + 1e-7)


def band_limit(waveform: np.ndarray, low_hertz: float, high_hertz: float) -> np.ndarray:
    """Keep only the frequencies between two limits, like a telephone line."""
    spectrum = np.fft.rfft(waveform)
    hertz_per_bin = SAMPLE_RATE / len(waveform)
    spectrum[int(high_hertz / hertz_per_bin) :] = 0
    spectrum[: int(low_hertz / hertz_per_bin)] = 0
    return np.fft.irfft(spectrum, len(waveform)).astype(np.float32)


class Augmenter:
    """Adds noise and makes clips of noise alone, from pools generated once."""

    def __init__(self, seed: int):
        rng = np.random.default_rng(seed)
        n_samples = _POOL_SECONDS * SAMPLE_RATE
        self._pools = [coloured_noise(n_samples, e, rng) for e in COLOURS.values()]

    def noise(self, n_samples: int, rng: np.random.Generator) -> np.ndarray:
        """Unit variance: one of the coloured noises, or hum."""
        if rng.random() < 0.12:
            return hum(n_samples, rng.choice((50.0, 60.0, rng.uniform(40, 130))), rng)
        pool = self._pools[rng.choice(len(self._pools), p=(0.4, 0.35, 0.25))]
        start = rng.integers(len(pool) - n_samples)
        return pool[start : start + n_samples]

    def noisy(self, waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Filter a tenth of the clips like a telephone line, and add noise to about half."""
        if rng.random() < 0.10:
            waveform = band_limit(waveform, rng.uniform(0, 320), rng.uniform(3300, 4000))
        if rng.random() < 0.45:
            signal_level = math.sqrt(float(np.mean(waveform**2)) + 1e-10)
            ratio_db = rng.uniform(4, 35)
            level = signal_level * 10 ** (-ratio_db / 20)
            waveform = waveform + self.noise(len(waveform), rng) * np.float32(level)
        return waveform

    def empty(self, n_samples: int, rng: np.random.Generator) -> np.ndarray:
        """A clip without speech: digital silence, or noise at any level, steady or varying."""
        if rng.random() < 0.15:
            return np.zeros(n_samples, np.float32)
        waveform = self.noise(n_samples, rng)
        if rng.random() < 0.25:
            waveform = waveform + self.noise(n_samples, rng) * np.float32(rng.uniform(0.1, 1))
        if rng.random() < 0.15:
            waveform = band_limit(waveform, rng.uniform(0, 320), rng.uniform(3000, 4000))
        if rng.random() < 0.30:
            n_knots = max(2, round(n_samples / SAMPLE_RATE / rng.uniform(0.2, 2)))
            gains = 10 ** (rng.uniform(-30, 0, n_knots) / 20)
            positions = np.linspace(0, n_samples - 1, n_knots)
            waveform = waveform * np.interp(np.arange(n_samples), positions, gains)
        return (waveform * 10 ** (rng.uniform(-80, -6) / 20)).astype(np.float32)
