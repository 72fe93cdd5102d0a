"""Silero's voice activity detector, computed with numpy.

The package silero-vad carries its weights (MIT). Importing it would load torch, and set torch's
threads for the whole process, so only the file is read. The model has half a million weights: a
short-time spectrum, four convolutions, an LSTM over time and a sigmoid. Everything before the
LSTM sees one chunk of 32 ms, so all chunks of a block are computed at once, as matrix products."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stt.activity.base import CHUNK_SAMPLES
from stt.errors import ConfigurationError
from stt.types import Waveform

CONTEXT_SAMPLES = 64
"""Samples before a chunk that its spectrum covers too."""
FFT_SAMPLES, HOP_SAMPLES = 256, 128
N_BINS = FFT_SAMPLES // 2 + 1
WIDTH = 128
"""Of the LSTM."""

Matrix = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class SileroWeights:
    """The weights, laid out for products with row vectors."""

    spectrum: Matrix
    """``[FFT_SAMPLES, 2 * N_BINS]``: cosines, then sines, windowed."""
    convolutions: tuple[tuple[Matrix, Matrix], ...]
    """Four of ``[taps * in, out]`` and ``[out]``; only the taps that ever meet a frame."""
    gates_of_input: tuple[Matrix, Matrix]
    """``[WIDTH, 4 * WIDTH]`` and ``[4 * WIDTH]``: input, forget, cell, output."""
    gates_of_state: Matrix
    """``[WIDTH, 4 * WIDTH]``."""
    output: tuple[Matrix, float]
    """``[WIDTH]`` and the bias."""

    @classmethod
    def load(cls, path: Path) -> "SileroWeights":
        """Read the file of the package."""
        from safetensors.numpy import load_file

        return cls.of(load_file(path))

    @classmethod
    def of(cls, tensors: Mapping[str, Matrix]) -> "SileroWeights":
        """Lay out the tensors of the package's file, by their names there."""
        taps = {1: slice(0, 3), 2: slice(0, 3), 3: slice(1, 3), 4: slice(1, 2)}
        convolutions = tuple(
            (_as_product(tensors[f"conv{layer}.weight"][:, :, used]), tensors[f"conv{layer}.bias"])
            for layer, used in taps.items()
        )
        biases = tensors["lstm_cell.bias_ih"] + tensors["lstm_cell.bias_hh"]
        return cls(
            np.ascontiguousarray(tensors["stft_conv.weight"][:, 0].T),
            convolutions,
            (np.ascontiguousarray(tensors["lstm_cell.weight_ih"].T), biases),
            np.ascontiguousarray(tensors["lstm_cell.weight_hh"].T),
            (tensors["final_conv.weight"][0, :, 0], float(tensors["final_conv.bias"][0])),
        )


class Silero:
    """Probabilities of speech in one recording; ``feed`` whole chunks."""

    def __init__(self, weights: SileroWeights) -> None:
        self._weights = weights
        self._before = np.zeros(CONTEXT_SAMPLES, np.float32)
        self._hidden = np.zeros(WIDTH, np.float32)
        self._cell = np.zeros(WIDTH, np.float32)

    def feed(self, samples: Waveform) -> NDArray[np.float32]:
        """Return the probability of speech of each chunk, ``[n_chunks]``, 0 to 1.

        Args:
            samples: ``[n_chunks * CHUNK_SAMPLES]``.
        """
        if not len(samples):
            return np.zeros(0, np.float32)
        joined = np.concatenate([self._before, samples])
        self._before = joined[-CONTEXT_SAMPLES:]
        hidden = self._run(self._gates(_windows(joined)))
        weight, bias = self._weights.output
        scores = np.maximum(hidden, 0) @ weight + np.float32(bias)
        return 1 / (1 + np.exp(-scores))  # type: ignore[no-any-return]

    def _gates(self, windows: Matrix) -> Matrix:
        """``[n, 4, FFT_SAMPLES]`` -> what each chunk adds to the gates, ``[n, 4 * WIDTH]``."""
        weights = self._weights
        n = len(windows)
        waves = windows @ weights.spectrum
        np.square(waves, out=waves)
        spectrum = np.sqrt(waves[:, :, :N_BINS] + waves[:, :, N_BINS:])
        first, second, third, fourth = weights.convolutions
        # [n, 6, N_BINS]: a frame of zeros before and after the four.
        frames = np.pad(spectrum, ((0, 0), (1, 1), (0, 0)))
        taps = np.concatenate([frames[:, :4], frames[:, 1:5], frames[:, 2:]], axis=2)
        frames = np.pad(_layer(taps, first), ((0, 0), (1, 0), (0, 0)))
        taps = np.concatenate([frames[:, 0:3:2], frames[:, 1:4:2], frames[:, 2:5:2]], axis=2)
        pair = _layer(taps, second).reshape(n, -1)
        into, bias = weights.gates_of_input
        return _layer(_layer(pair, third), fourth) @ into + bias

    def _run(self, gates: Matrix) -> Matrix:
        """Run the LSTM: ``[n, 4 * WIDTH]`` -> its hidden states, ``[n, WIDTH]``."""
        hidden, cell = self._hidden, self._cell
        states = np.empty((len(gates), WIDTH), np.float32)
        for index, row in enumerate(gates):
            opened = row + hidden @ self._weights.gates_of_state
            # sigmoid(x) = (1 + tanh(x / 2)) / 2
            opened[: 2 * WIDTH] *= 0.5
            opened[3 * WIDTH :] *= 0.5
            np.tanh(opened, out=opened)
            take, keep, new, show = opened.reshape(4, WIDTH)
            cell = 0.5 * ((1 + keep) * cell + (1 + take) * new)
            hidden = 0.5 * (1 + show) * np.tanh(cell)
            states[index] = hidden
        self._hidden, self._cell = hidden, cell
        return states


def find_weights() -> Path:
    """The file of weights in the package silero-vad, which is not imported.

    Raises:
        ConfigurationError: the package is not installed.
    """
    try:
        package = distribution("silero-vad")
    except PackageNotFoundError:
        raise ConfigurationError(
            "The package silero-vad is not installed. Install it, or set STT_VAD=off."
        ) from None
    return Path(str(package.locate_file("silero_vad/data/silero_vad_16k.safetensors")))


def _as_product(weight: Matrix) -> Matrix:
    """``[out, in, taps]`` -> ``[taps * in, out]``."""
    return np.ascontiguousarray(weight.transpose(2, 1, 0).reshape(-1, len(weight)))


def _layer(taps: Matrix, layer: tuple[Matrix, Matrix]) -> Matrix:
    weight, bias = layer
    return np.maximum(taps @ weight + bias, 0)  # type: ignore[no-any-return]


def _windows(joined: Waveform) -> Matrix:
    """The samples of all chunks behind their context -> ``[n, 4, FFT_SAMPLES]``.

    Each chunk is prolonged by its own end, mirrored.
    """
    n = (len(joined) - CONTEXT_SAMPLES) // CHUNK_SAMPLES
    length = CONTEXT_SAMPLES + CHUNK_SAMPLES
    chunks = np.lib.stride_tricks.sliding_window_view(joined, length)[::CHUNK_SAMPLES]
    mirrored = chunks[:, -2 : -2 - CONTEXT_SAMPLES : -1]
    halves = np.concatenate([chunks, mirrored], axis=1).reshape(n, -1, HOP_SAMPLES)
    return np.concatenate([halves[:, :-1], halves[:, 1:]], axis=2)
