"""Scores against an obvious back-off, and the shape of the tables."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stt.errors import ModelBroken
from stt.language_model.lookup import end_score, score
from stt.language_model.ngram import LEAST_LOG_PROB, NgramModel, kind_of
from stt.language_model.tables import Ngrams

Listed = dict[tuple[str, ...], tuple[float, float]]
"""Log-prob and back-off of each n-gram."""

WORDS = ("a", "b", "cc", "<s>", "</s>")


def model_of(listed: Listed) -> NgramModel:
    units = [ngram[0] for ngram in listed if len(ngram) == 1]
    orders = []
    for order in range(1, max(map(len, listed)) + 1):
        rows = {ngram: values for ngram, values in listed.items() if len(ngram) == order}
        orders.append(
            Ngrams(
                np.array([units.index(unit) for row in rows for unit in row], np.int32).reshape(
                    -1, order
                ),
                np.array([log_prob for log_prob, _ in rows.values()], np.float32),
                np.array([backoff for _, backoff in rows.values()], np.float32),
            )
        )
    return NgramModel.of(units, orders)


def rarest(listed: Listed) -> float:
    return min(log_prob for ngram, (log_prob, _) in listed.items() if len(ngram) == 1)


def backed_off(listed: Listed, context: tuple[str, ...], unit: str) -> float:
    """The definition: Katz (1987), as ARPA files mean it."""
    if (*context, unit) in listed:
        return listed[*context, unit][0]
    if not context:
        return listed["<unk>",][0] if ("<unk>",) in listed else rarest(listed)
    return listed.get(context, (0.0, 0.0))[1] + backed_off(listed, context[1:], unit)


numbers = st.floats(-9, 0, width=16)


@st.composite
def models(draw: st.DrawFn) -> Listed:
    """Every unit has a unigram; which longer n-grams there are is arbitrary."""
    order = draw(st.integers(1, 4))
    units = [*WORDS, "<unk>"] if draw(st.booleans()) else list(WORDS)
    listed = {(unit,): (draw(numbers), draw(numbers)) for unit in units}
    longer = st.lists(st.sampled_from(units), min_size=2, max_size=order).map(tuple)
    if order > 1:
        for ngram in draw(st.lists(longer, max_size=12)):
            is_longest = len(ngram) == order
            listed[ngram] = (draw(numbers), 0.0 if is_longest else draw(numbers | st.just(0.0)))
    return listed


@settings(max_examples=200, deadline=None)
@given(models(), st.lists(st.sampled_from([*WORDS[:3], "unseen"]), max_size=8))
def test_scores_are_those_of_the_definition(listed: Listed, text: list[str]) -> None:
    model = model_of(listed)
    order = max(map(len, listed))
    state, history = model.start_state, ["<s>"]
    for unit in text:
        known = unit if (unit,) in listed else "<unk>"
        context = tuple(history[-(order - 1) :]) if order > 1 else ()
        expected = backed_off(listed, context, known)
        log_prob, state = score(model.tables, state, model.unit(unit))
        assert log_prob == pytest.approx(expected, abs=1e-4)
        history.append(known)
    context = tuple(history[-(order - 1) :]) if order > 1 else ()
    expected = backed_off(listed, context, "</s>")
    assert end_score(model.tables, state) == pytest.approx(expected, abs=1e-4)


SMALL: Listed = {
    ("<s>",): (-99.0, -0.5),
    ("</s>",): (-1.0, 0.0),
    ("a",): (-1.5, -0.25),
    ("b",): (-2.0, 0.0),
    ("<s>", "a"): (-0.5, 0.0),
    ("a", "b"): (-0.125, 0.0),
}


def test_contexts_that_score_alike_are_one_state() -> None:
    model = model_of(SMALL)
    # Of the contexts "", <s>, a and b, only b has neither continuations nor a back-off.
    assert model.n_states == 3
    _, after_b = score(model.tables, model.start_state, model.unit("b"))
    assert after_b == 0
    (of_a, after_a), (of_ab, _) = (
        score(model.tables, model.start_state, model.unit("a")),
        score(model.tables, score(model.tables, 0, model.unit("a"))[1], model.unit("b")),
    )
    assert (of_a, of_ab, after_a > 0) == (-0.5, -0.125, True)


def test_a_missing_context_is_put_back_as_back_off_scores_it() -> None:
    """SRILM prunes ``a b`` and keeps ``a b a``."""
    listed = {**SMALL, ("b", "a", "b"): (-0.75, 0.0)}
    model = model_of(listed)
    state, total = 0, 0.0
    for unit in "bab":
        log_prob, state = score(model.tables, state, model.unit(unit))
        total += log_prob
    assert total == pytest.approx(-2.0 + (0 - 1.5) - 0.75)


def test_any_index_outside_the_vocabulary_is_unknown() -> None:
    model = model_of(SMALL)
    for unit in (-1, len(model.units), 2**31 - 1, model.unit("unseen")):
        log_prob, state = score(model.tables, 0, unit)
        assert (log_prob, state) == (pytest.approx(rarest(SMALL)), 0)


def test_an_unknown_unit_without_probability_is_as_rare_as_the_rarest_unit() -> None:
    model = model_of({**SMALL, ("<unk>",): (LEAST_LOG_PROB, 0.0)})
    assert score(model.tables, 0, model.unit("unseen"))[0] == pytest.approx(rarest(SMALL))


def test_an_end_that_the_model_does_not_have_costs_nothing() -> None:
    listed = {ngram: values for ngram, values in SMALL.items() if "</s>" not in ngram}
    assert end_score(model_of(listed).tables, 0) == 0


def test_units_are_found_in_another_case_and_composition() -> None:
    model = model_of({(unit,): (-1.0, 0.0) for unit in ("a", "B", "é", "|")})
    assert [model.units[model.unit(text)] for text in ("A", "b", "É", " ", "x")] == [
        "a", "B", "é", "|", "<unk>",
    ]  # fmt: skip
    assert model.unit("e\u0301") == model.unit("é")


@pytest.mark.parametrize(
    ("units", "kind"),
    [
        (("<s>", "</s>", "<unk>", "|", "가", "나"), "character"),
        (("<s>", "</s>", "<space>", "a"), "character"),
        (("a", "\u1112\u1161\u11ab"), "character"),  # 한, decomposed
        (("a", "is"), "word"),
    ],
)
def test_a_vocabulary_of_single_characters_is_a_character_model(
    units: tuple[str, ...], kind: str
) -> None:
    assert kind_of(units) == kind


def test_an_n_gram_listed_twice_is_refused() -> None:
    twice = Ngrams(np.array([[0], [0]], np.int32), *np.zeros((2, 2), np.float32))
    with pytest.raises(ModelBroken, match="order 1 twice"):
        NgramModel.of(["a"], [twice])


def test_every_entry_is_found_in_a_large_table() -> None:
    rng = np.random.default_rng(0)
    n = 300
    pairs = np.unique(rng.integers(0, n, (4000, 2)), axis=0).astype(np.int32)
    unigrams = Ngrams(
        np.arange(n, dtype=np.int32)[:, None],
        rng.normal(size=n).astype(np.float32),
        np.ones(n, np.float32),
    )
    log_probs = rng.normal(size=len(pairs)).astype(np.float32)
    bigrams = Ngrams(pairs, log_probs, np.zeros(len(pairs), np.float32))
    model = NgramModel.of([f"u{i}" for i in range(n)], [unigrams, bigrams])
    for (left, right), expected in zip(pairs.tolist(), log_probs, strict=True):
        _, state = score(model.tables, 0, left)
        assert score(model.tables, state, right)[0] == expected
    filled = np.mean(model.tables.slots["state"] >= 0)
    assert 0.25 <= filled <= 0.5
    steps = [a <= b for a, b in pairwise(model.counts)]
    assert steps == [True]
