"""Words get times that stay in order and inside the recording."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stt.alignment.aligner import Aligner
from stt.alignment.levels import HOP_SAMPLES, HOP_SECONDS, Levels
from stt.alignment.spelling import spell_all
from stt.alignment.text import GivenText
from stt.alignment.times import Timer
from stt.alignment.trellis import Trellis
from stt.alignment.words import AlignedSegment, Status
from stt.types import Calibration, Waveform
from tests.fakes import LETTERS, WAV2VEC2_GRID
from tests.unit.alignment.test_aligner import spoken_log_probs


def timed(
    text: str, frames: str, *, levels: Levels | None = None, start_lag: float = 0.0
) -> tuple[tuple[AlignedSegment, ...], Timer, float]:
    given_text = GivenText.parse(text)
    spelled = spell_all(given_text.words, LETTERS, "en")
    trellis = Trellis(spelled, LETTERS)
    aligner = Aligner(trellis)
    log_probs = spoken_log_probs(frames, 0.999)
    aligner.feed(log_probs[:, trellis.columns], log_probs.max(axis=1))
    calibration = Calibration(start_lag_seconds=start_lag, end_lag_seconds=-start_lag)
    timer = Timer(
        trellis, aligner.finish(), WAV2VEC2_GRID, calibration, levels or Levels(), len(frames)
    )
    segments = timer.segments(given_text, spelled)
    return segments, timer, timer.score(segments, spelled)


def test_words_and_characters_have_the_times_of_their_frames() -> None:
    (segment, last), _, score = timed("ab, (c)\nb!", "__a_bb|__c__|b__")
    ab, c = segment.words
    assert (ab.text, ab.start, ab.end, ab.status) == ("ab,", 0.04, 0.12, Status.SPOKEN)
    assert [(x.text, x.start, x.end) for x in ab.characters] == [
        ("a", 0.04, 0.08),
        ("b,", 0.08, 0.12),
    ]
    assert [(x.text, x.start, x.end) for x in c.characters] == [("(c)", 0.18, 0.20)]
    assert (segment.start, segment.end, segment.text) == (0.04, 0.2, "ab, (c)")
    assert last.words[0].start == pytest.approx(0.26)
    assert ab.score == pytest.approx(0.999, abs=1e-4)
    assert score == pytest.approx(0.999, abs=1e-4)


def test_words_that_are_not_heard_say_why_and_take_no_time() -> None:
    (segment,), _, score = timed("ab – cccccc 日 b", "a_b|__|b_")
    assert [(word.status, word.end - word.start) for word in segment.words] == [
        (Status.SPOKEN, pytest.approx(0.06)),
        (Status.SILENT, 0.0),
        (Status.NOT_SPOKEN, 0.0),
        (Status.NOT_SPELLED, 0.0),
        (Status.SPOKEN, pytest.approx(0.02)),
    ]
    assert score == pytest.approx(3 / 9, abs=1e-3)


def test_a_word_that_cannot_be_spelled_takes_the_speech_between_its_neighbours() -> None:
    (segment,), timer, _ = timed("ab 日本 b", "a_b|_c_a_c_|b_")
    word = segment.words[1]
    assert (word.status, word.start, word.end) == (Status.NOT_SPELLED, 0.1, pytest.approx(0.2))
    assert timer.not_in_text() == ()
    (segment,), timer, _ = timed("ab b", "a_b|_" + "c_a_c_" * 5 + "|b_")
    (span,) = timer.not_in_text()
    assert (span.start, span.end) == (pytest.approx(0.1), pytest.approx(0.68))


@settings(max_examples=50, deadline=None)
@given(
    st.text("abc 日-", min_size=1, max_size=20).filter(lambda text: set(text) & set("abc")),
    st.text("abc_|", min_size=1, max_size=60),
    st.sampled_from([-0.05, 0.0, 0.05]),
)
def test_times_stay_in_order_and_inside_the_recording(text: str, frames: str, lag: float) -> None:
    random = np.random.default_rng(0)
    levels = Levels()
    levels.feed(random.standard_normal(320 * len(frames)).astype(np.float32) ** 9)
    segments, _, score = timed(text, frames, levels=levels, start_lag=lag)
    times = [0.0]
    for segment in segments:
        for word in segment.words:
            times += [word.start, word.end]
            inner = [(each.start, each.end) for each in word.characters]
            assert inner == sorted(inner)
            assert all(word.start <= start <= end <= word.end for start, end in inner)
    assert times == sorted(times)
    assert times[-1] <= WAV2VEC2_GRID.n_samples(len(frames)) / 16_000
    assert 0.0 <= score <= 1.0


def tone(*hops: tuple[int, float]) -> Waveform:
    """Noise of some amplitudes, each for a number of hops."""
    random = np.random.default_rng(0)
    pieces = [level * random.uniform(-1, 1, n * HOP_SAMPLES) for n, level in hops]
    return np.concatenate(pieces).astype(np.float32)


def test_sound_begins_where_the_level_rises_near_a_symbol() -> None:
    levels = Levels()
    for block in np.array_split(tone((50, 0.001), (40, 0.3), (50, 0.001)), 7):
        levels.feed(block)
    assert levels.start(0.62, 0.80, earliest=0.0) == pytest.approx(0.50)  # emitted late
    assert levels.start(0.46, 0.80, earliest=0.0) == pytest.approx(0.50)  # emitted early
    assert levels.start(0.62, 0.80, earliest=0.55) == 0.62  # the word before is in between
    assert levels.end(0.50, 0.82, latest=1.2) == pytest.approx(0.90)
    assert levels.end(0.50, 0.97, latest=1.2) == pytest.approx(0.90)
    assert levels.end(0.50, 0.82, latest=0.86) == 0.82


def test_without_silence_nearby_times_stay() -> None:
    levels = Levels()
    levels.feed(tone((100, 0.3), (2, 0.0), (100, 0.3)))
    assert levels.start(0.9, 1.3, earliest=0.0) == 0.9
    assert levels.start(1.1, 1.3, earliest=0.0) == 1.1  # two hops may be in a plosive
    assert levels.end(0.5, 0.9, latest=2.0) == 0.9
    assert Levels().start(0.5, 0.6, earliest=0.0) == 0.5
    assert levels.start(0.1, 0.3, earliest=0.0) == pytest.approx(0.0)  # the recording begins
    assert HOP_SECONDS == 0.01
