"""Bootstrap intervals of error rates."""

import time

import numpy as np

from stt.evaluation.errors import Errors
from stt.evaluation.intervals import Interval, intervals


def speak(seed: int, n: int) -> list[Errors]:
    """Recordings of a model with a CER of 10 %, better with some speakers than with others."""
    rng = np.random.default_rng(seed)
    rates, units = rng.beta(1, 9, size=n), rng.integers(5, 40, size=n)
    return [
        Errors(substitutions=int(rng.binomial(unit, rate)), reference_units=int(unit))
        for unit, rate in zip(units, rates, strict=True)
    ]


def width(interval: Interval | None) -> float:
    assert interval is not None
    return interval.high - interval.low


def test_about_95_of_100_intervals_hold_the_true_rate() -> None:
    hits = 0
    for seed in range(200):
        [found] = intervals([speak(seed, 150)])
        assert found is not None
        hits += found.low <= 0.1 <= found.high
    # Binomial: 95 % of 200, less and more three standard deviations.
    assert 180 <= hits <= 199


def test_four_times_the_recordings_halve_the_interval() -> None:
    [few], [many] = intervals([speak(0, 500)]), intervals([speak(1, 2000)])
    assert 0.4 < width(many) / width(few) < 0.6


def test_the_same_recordings_give_the_same_interval() -> None:
    assert intervals([speak(0, 50)]) == intervals([speak(0, 50)])


def test_rates_are_resampled_together() -> None:
    errors = speak(0, 50)
    doubled = [each + each for each in errors]
    first, second = intervals([errors, doubled])
    assert first == second


def test_one_recording_has_no_interval() -> None:
    assert intervals([speak(0, 1), speak(1, 1)]) == [None, None]
    assert intervals([[]]) == [None]
    assert intervals([]) == []


def test_no_interval_if_a_sample_may_have_no_reference() -> None:
    assert intervals([[Errors(insertions=1), Errors(reference_units=5)]]) == [None]


def test_without_errors_the_bootstrap_sees_none() -> None:
    assert intervals([[Errors(reference_units=5)] * 10]) == [Interval(0.0, 0.0)]


def test_ten_thousand_recordings_take_less_than_a_second() -> None:
    errors = speak(0, 10_000)
    started = time.process_time()
    intervals([errors] * 4)
    assert time.process_time() - started < 1.5
