"""Confidence intervals of error rates, by resampling recordings.

Bisani and Ney, 2004: Bootstrap estimates for confidence intervals in ASR performance evaluation
(https://doi.org/10.1109/ICASSP.2004.1326009). Recordings are drawn with replacement, as many as
there are; the interval holds the middle 95 % of the rates of such samples.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stt.evaluation.errors import Errors

N_SAMPLES = 1000
LEVEL = 0.95
_SEED = 20040517
_AT_ONCE = 2**16
"""Recordings that are drawn at once; their 512 kB fit into a processor's cache."""


@dataclass(frozen=True)
class Interval:
    """Where an error rate would be with other recordings of the same kind."""

    low: float
    high: float


def intervals(rates: Sequence[Sequence[Errors]]) -> list[Interval | None]:
    """The intervals of several rates of the same recordings.

    None for a single recording, and if so many references are empty that some sample has no rate.

    Args:
        rates: For each rate the errors of each recording.
    """
    n = len(rates[0]) if rates else 0
    if n < 2:
        return [None for _ in rates]
    # [n_recordings, 2 * n_rates]: edits and units.
    counts = np.array(
        [[number for each in row for number in (each.total, each.reference_units)]
         for row in zip(*rates, strict=True)],
        np.float64,
    )  # fmt: skip
    drawn = np.concatenate(_samples(counts))
    return [_interval(drawn[:, 2 * at], drawn[:, 2 * at + 1]) for at in range(len(rates))]


def _samples(counts: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Sums over samples of the recordings, [n_samples, n_columns] in all."""
    rng = np.random.default_rng(_SEED)
    n = len(counts)
    sums = []
    step = max(1, _AT_ONCE // n)
    for begin in range(0, N_SAMPLES, step):
        n_samples = min(step, N_SAMPLES - begin)
        draws = rng.integers(n, size=(n_samples, n)) + n * np.arange(n_samples)[:, None]
        times = np.bincount(draws.ravel(), minlength=n_samples * n).reshape(n_samples, n)
        sums.append(times.astype(np.float64) @ counts)
    return sums


def _interval(edits: NDArray[np.float64], units: NDArray[np.float64]) -> Interval | None:
    if not units.all():
        return None
    tail = 100 * (1 - LEVEL) / 2
    low, high = np.percentile(edits / units, [tail, 100 - tail])
    return Interval(float(low), float(high))
