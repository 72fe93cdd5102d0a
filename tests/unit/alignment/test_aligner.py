"""The search finds the best path: compared with plain dynamic programming over all states."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stt.alignment.aligner import Aligner
from stt.alignment.found import Found
from stt.alignment.spelling import Character, SpelledWord
from stt.alignment.trellis import Costs, Trellis
from stt.types import Vocabulary

LETTERS = Vocabulary(symbols=("<pad>", "|", "a", "b", "c"), blank=0)
NO_DEPARTURES = Costs(star=1e6, skip=1e6, skip_most=1e6, floor=1e3)
WHOLE = 10**9
"""More symbols ahead than any text has: all states are active."""


def trellis_of(*words: str) -> Trellis:
    return Trellis(
        [
            SpelledWord(tuple(Character(c, (LETTERS.symbols.index(c),)) for c in word))
            for word in words
        ],
        LETTERS,
    )


def align(
    trellis: Trellis, log_probs: NDArray[np.float32], costs: Costs, pieces: int = 1, **band: float
) -> tuple[Aligner, Found]:
    options = {"block_frames": 3, "ahead_symbols": WHOLE, "keep": np.inf, **band}
    aligner = Aligner(trellis, costs, **options)  # type: ignore[arg-type]
    for part in np.array_split(log_probs, pieces):
        aligner.feed(part[:, trellis.columns], part.max(axis=1))
    return aligner, aligner.finish()


def random_log_probs(seed: int, n_frames: int, n_columns: int = 5) -> NDArray[np.float32]:
    random = np.random.default_rng(seed)
    logits = 2 * random.standard_normal((n_frames, n_columns))
    return (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))).astype(np.float32)


def spoken_log_probs(frames: str, posterior: float = 0.95) -> NDArray[np.float32]:
    """One frame for each character; ``_`` is the blank."""
    columns = [("_|abc").index(character) for character in frames]
    probs = np.full((len(columns), 5), (1 - posterior) / 4)
    probs[np.arange(len(columns)), columns] = posterior
    return np.log(probs).astype(np.float32)


@settings(max_examples=15, deadline=None)
@given(
    words=st.lists(st.text("ab", min_size=1, max_size=2), min_size=1, max_size=2),
    seed=st.integers(0, 10**6),
    n_frames=st.integers(3, 5),
)
def test_the_loss_is_that_of_the_best_labelling(words: list[str], seed: int, n_frames: int) -> None:
    """Every labelling of the frames is tried: those count that collapse to the text, with any
    number of delimiters between words and inside them."""
    log_probs = random_log_probs(seed, n_frames, 5)
    relative = log_probs - log_probs.max(axis=1, keepdims=True)
    text = "".join(words)
    best = -np.inf
    for labels in product("_|ab", repeat=n_frames):
        collapsed = "".join(label for label, _ in groupby(labels)).replace("_", "")
        if collapsed.replace("|", "") == text:
            columns = [("_|abc").index(label) for label in labels]
            best = max(best, relative[np.arange(n_frames), columns].sum())
    aligner, found = align(trellis_of(*words), log_probs, NO_DEPARTURES)
    if best == -np.inf:  # too few frames for the text
        assert aligner.loss < -1e5
    else:
        assert aligner.loss == pytest.approx(best, abs=1e-3)
        assert (found.first_frames >= 0).all()


@dataclass(frozen=True)
class Stop:
    """One state of a plan."""

    symbol: str
    """A letter, ``/`` for a gap or separator, ``*`` for a star."""
    is_optional: bool = False


def plans(words: Sequence[str], costs: Costs) -> Iterator[tuple[list[Stop], float]]:
    """Every choice of stars and skips, and its price.

    A skip leaves from a gap or star and enters a gap, or a star from a star, which is then paid for
    only once. Before the first frame a path is in the first gap.
    """
    n = len(words)
    for stars in product((False, True), repeat=n + 1):
        for spoken in product((False, True), repeat=n):
            stops: list[Stop] = []
            price, run, index = 0.0, 0, 0
            while True:
                stops.append(Stop("/", is_optional=True))
                if stars[index]:
                    stops.append(Stop("*"))
                    price += costs.star
                if index == n:
                    break
                if spoken[index]:
                    letters = [Stop(letter) for letter in words[index]]
                    stops += [part for letter in letters for part in (letter, Stop("/", True))][:-1]
                    index += 1
                    continue
                end = next((i for i in range(index, n) if spoken[i]), n)
                run = sum(map(len, words[index:end]))
                price += min(costs.skip + costs.skip_symbol * run, costs.skip_most)
                is_in_star = stars[index]
                if end == n and not stars[n]:
                    break
                if not is_in_star and len(stops) > 1:
                    stops[-1] = Stop("/")
                index = end
                if is_in_star and stars[end]:
                    price -= costs.star
                else:
                    stops.append(Stop("/"))
            yield stops, price


def best_of_plan(stops: Sequence[Stop], relative: NDArray[np.float32], costs: Costs) -> float:
    """Plain CTC alignment with ``*`` as one more symbol."""
    separator = relative[:, :2].max(axis=1)
    rows = {
        "*": np.maximum(separator, -costs.star_symbol),
        "/": separator,
        **{"abc"[i]: relative[:, i + 2] for i in range(3)},
    }
    before = [
        [s] + [
            r for r in range(s)
            if all(stop.is_optional for stop in stops[r + 1 : s])
            and (r == s - 1 or stops[r].symbol != stop.symbol or stop.symbol in "*/")
            and not (r == s - 1 and stop.symbol == stops[r].symbol and stop.symbol in "abc")
        ]
        for s, stop in enumerate(stops)
    ]  # fmt: skip
    is_first = [all(stop.is_optional for stop in stops[:s]) for s in range(len(stops))]
    scores = [0.0 if first else -np.inf for first in is_first]
    for t in range(len(relative)):
        scores = [
            max(
                *(scores[r] if t else -np.inf for r in before[s]),
                0.0 if t == 0 and is_first[s] else -np.inf,
            )
            + rows[stop.symbol][t]
            for s, stop in enumerate(stops)
        ]
    ends = [s for s in range(len(stops)) if all(stop.is_optional for stop in stops[s + 1 :])]
    return max((scores[s] for s in ends), default=-np.inf)


@settings(max_examples=60, deadline=None)
@given(
    words=st.lists(st.text("abc", min_size=1, max_size=2), min_size=1, max_size=3),
    seed=st.integers(0, 10**6),
    n_frames=st.integers(3, 12),
    pieces=st.integers(1, 4),
)
def test_stars_and_skips_cost_what_the_best_plan_does(
    words: list[str], seed: int, n_frames: int, pieces: int
) -> None:
    costs = Costs(star_symbol=0.5, star=1.0, skip=1.0, skip_symbol=0.5, skip_most=2.0)
    log_probs = random_log_probs(seed, n_frames)
    relative = np.maximum(log_probs - log_probs.max(axis=1, keepdims=True), -costs.floor)
    best = max(best_of_plan(stops, relative, costs) - price for stops, price in plans(words, costs))
    aligner, _ = align(trellis_of(*words), log_probs, costs, pieces)
    assert aligner.loss == pytest.approx(best, abs=2e-2)


def test_equal_symbols_need_a_blank_between_them() -> None:
    log_probs = spoken_log_probs("aa_aa")
    _, found = align(trellis_of("aa"), log_probs, NO_DEPARTURES)
    assert found.first_frames.tolist() == [0, 3]
    assert found.last_frames.tolist() == [1, 4]
    # The model hears one long symbol: a separator is paid for.
    aligner, found = align(trellis_of("aa"), spoken_log_probs("aaa"), NO_DEPARTURES)
    assert found.first_frames.tolist() == [0, 2]
    assert aligner.loss == pytest.approx(np.log(0.0125 / 0.95), abs=1e-3)
    # Also between the last symbol of a word and the first of the next.
    _, found = align(trellis_of("a", "a"), spoken_log_probs("aa|aa"), NO_DEPARTURES)
    assert found.first_frames.tolist() == [0, 3]


def test_speech_that_is_not_in_the_text_becomes_a_star() -> None:
    log_probs = spoken_log_probs("a_b_|_" + "c_a_c_a_c_a_" * 3 + "|_b_b_c_", 0.999)
    _, found = align(trellis_of("ab", "bbc"), log_probs, Costs())
    assert found.first_frames.tolist() == [0, 2, 44, 46, 48]
    assert found.star_frames[1].tolist() == [6, 40]
    assert found.star_frames[[0, 2]].tolist() == [[-1, -1], [-1, -1]]


def test_text_that_is_not_spoken_is_skipped() -> None:
    log_probs = spoken_log_probs("a_b_||__a_c_")
    _, found = align(trellis_of("ab", "cbcbc", "bcbcb", "ac"), log_probs, Costs())
    assert found.first_frames.tolist() == [0, 2, *[-1] * 10, 8, 10]


def test_a_text_may_go_on_after_the_recording_and_begin_before_it() -> None:
    log_probs = spoken_log_probs("__a_b_||b_c_a__")
    _, found = align(trellis_of("ccbb", "ab", "bca", "cacb"), log_probs, Costs())
    assert (found.first_frames < 0).tolist() == [True] * 4 + [False] * 5 + [True] * 4


def readable(n_words: int, seed: int = 0) -> list[str]:
    random = np.random.default_rng(seed)
    return ["".join(random.choice(list("abc"), 6)) for _ in range(n_words)]


def say(words: Sequence[str]) -> str:
    return "".join("".join(f"{letter}_" for letter in word) + "||_" for word in words)


def test_a_narrow_band_finds_the_path_of_a_wide_one_in_pieces_of_any_size() -> None:
    words = readable(300)
    spoken = say(words[:60] + readable(15, seed=1) + words[60:80] + words[85:])
    log_probs = spoken_log_probs(spoken)
    noise = 1.5 * np.random.default_rng(2).standard_normal(log_probs.shape)
    log_probs = (log_probs + noise).astype(np.float32)
    wide, exact = align(trellis_of(*words), log_probs, Costs(), block_frames=64)
    for pieces in (1, 30):
        narrow, found = align(
            trellis_of(*words), log_probs, Costs(), pieces,
            block_frames=64, ahead_symbols=60, keep=100.0,
        )  # fmt: skip
        assert narrow.loss == pytest.approx(wide.loss, abs=0.1)
        assert found.first_frames.tolist() == exact.first_frames.tolist()
        assert narrow.n_steps < wide.n_steps / 4


def test_chapters_may_be_missing_from_the_recording() -> None:
    """Far more text is left out than is active at a time."""
    words = readable(2_000)
    spoken = [*range(500, 620), *range(1_500, 1_620)]
    log_probs = spoken_log_probs("___" + say([words[index] for index in spoken]))
    aligner, found = align(
        trellis_of(*words), log_probs, Costs(), 9, block_frames=128, ahead_symbols=100, keep=100.0
    )
    starts = found.first_frames.reshape(-1, 6)[:, 0]
    assert np.flatnonzero(starts >= 0).tolist() == spoken
    assert starts[spoken].tolist() == [3 + 15 * index for index in range(len(spoken))]
    assert aligner.n_steps / len(log_probs) < 3_000


def test_memory_does_not_grow_with_speech_that_is_not_in_the_text() -> None:
    """Any of the last words may still come after it, so paths differ for all of its time."""
    words = [word.replace("c", "a") for word in readable(40)]
    text = trellis_of(*words)
    aligner = Aligner(text, block_frames=128, ahead_symbols=100, pending_bytes=300_000)
    foreign = spoken_log_probs("c_c_c__|_" * 100)
    held = []
    for spoken in (spoken_log_probs(say(words[:20])), *[foreign] * 20):
        aligner.feed(spoken[:, text.columns], spoken.max(axis=1))
        held.append(aligner.pending_bytes)
    after = spoken_log_probs(say(words[20:]))
    aligner.feed(after[:, text.columns], after.max(axis=1))
    found = aligner.finish()
    assert max(held) <= 600_000
    starts = found.first_frames.reshape(-1, 6)[:, 0]
    assert starts.tolist() == [15 * i + (20 * len(foreign) if i >= 20 else 0) for i in range(40)]
