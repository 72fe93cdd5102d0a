"""Estimates: they sum to 1, they generalise, and pruning keeps both."""

import itertools
import random
from collections import Counter
from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stt.language_model.counting import count_ngrams
from stt.language_model.kneser_ney import Level, estimate, to_ngrams
from stt.language_model.lookup import score
from stt.language_model.ngram import START, NgramModel
from stt.language_model.pruning import losses, prune
from stt.language_model.texts import Sentences


def levels_of(sentences: Sentences, order: int) -> list[Level]:
    return estimate(count_ngrams(sentences, order), sentences.units.index(START))


def model_of(sentences: Sentences, levels: list[Level]) -> NgramModel:
    return NgramModel.of(sentences.units, to_ngrams(levels))


def sums(model: NgramModel) -> np.ndarray:
    """``[n_states]``: of the probabilities of all units but ``<s>``."""
    units = [index for index, unit in enumerate(model.units) if unit != START]
    return np.array(
        [
            sum(np.exp(score(model.tables, state, unit)[0]) for unit in units)
            for state in range(model.n_states)
        ]
    )


texts = st.lists(st.text("ab ", max_size=12), min_size=1, max_size=8).filter(
    lambda each: any(text.strip() for text in each)
)


def test_counts_are_those_of_counting_by_hand() -> None:
    sentences = Sentences.of(["ab a", "", "ab"], "syllable")
    levels = count_ngrams(sentences, 3)
    spelled = [["<s>", *"ab|a", "</s>"], ["<s>", *"ab", "</s>"]]
    for order, level in enumerate(levels, start=1):
        expected = Counter(
            tuple(each[i : i + order]) for each in spelled for i in range(len(each) - order + 1)
        )
        found = {
            tuple(sentences.units[unit] for unit in row): count
            for row, count in zip(level.units, level.counts.tolist(), strict=True)
            if count
        }
        assert found == expected
        if order > 1:
            lower = levels[order - 2].units
            assert (lower[level.prefixes] == level.units[:, :-1]).all()
            assert (lower[level.suffixes] == level.units[:, 1:]).all()


@settings(max_examples=60, deadline=None)
@given(texts, st.integers(1, 4), st.sampled_from(["syllable", "word"]))
def test_every_context_sums_to_1(lines: list[str], order: int, unit: str) -> None:
    sentences = Sentences.of((" ".join(line.split()) for line in lines), unit)
    levels = levels_of(sentences, order)
    np.testing.assert_allclose(sums(model_of(sentences, levels)), 1, atol=1e-4)
    lost = losses(levels)
    for threshold in (0, 1e-3, 0.03, np.inf):
        pruned = model_of(sentences, prune(levels, lost, threshold))
        np.testing.assert_allclose(sums(pruned), 1, atol=1e-4)


def sentence(rng: random.Random) -> str:
    subject, verb = rng.choice(["나는", "너는", "우리는"]), rng.choice(["먹어", "봐", "사"])
    noun = rng.choice(["밥을", "물을", "책을", "영화를", "사과를", "옷을"])
    return " ".join((subject, noun, verb + rng.choice(["요", "", "서 좋아"])))


@pytest.fixture(scope="module")
def speech() -> tuple[Sentences, list[str]]:
    rng = random.Random(0)
    lines = [sentence(rng) for _ in range(400)]
    return Sentences.of(lines[:300], "syllable"), lines[300:]


def cross_entropy(model: NgramModel, lines: list[str]) -> float:
    """Nats for each unit."""
    total, n_units = 0.0, 0
    for line in lines:
        state = model.start_state
        units = [model.unit(char) for char in line] + [model.tables.end]
        for unit in units:
            log_prob, state = score(model.tables, state, unit)
            total -= log_prob
        n_units += len(units)
    return total / n_units


def add_one(sentences: Sentences, lines: list[str], order: int) -> float:
    """Nats for each unit of the same n-grams, smoothed by adding 1 to every count."""
    counts: Counter[tuple[int, ...]] = Counter()
    for level in count_ngrams(sentences, order):
        rows = zip(map(tuple, level.units.tolist()), level.counts.tolist(), strict=True)
        counts.update(dict(rows))
    held_out, n_vocabulary = Sentences.of(lines, "syllable"), len(sentences.units) - 1
    index = {unit: number for number, unit in enumerate(sentences.units)}
    tokens = [index[held_out.units[token]] for token in held_out.tokens]
    total, n_units, history = 0.0, 0, []
    for token in tokens:
        if token == index[START]:
            history = [token]
            continue
        context = tuple(history[-(order - 1) :])
        followers = sum(counts[*context, unit] for unit in range(len(sentences.units)))
        total -= log((counts[*context, token] + 1) / (followers + n_vocabulary))
        history.append(token)
        n_units += 1
    return total / n_units


def test_held_out_text_is_likelier_than_with_add_one(
    speech: tuple[Sentences, list[str]],
) -> None:
    sentences, held_out = speech
    found = cross_entropy(model_of(sentences, levels_of(sentences, 4)), held_out)
    assert found < 0.8 * add_one(sentences, held_out, 4)


def test_pruning_costs_little_at_first_and_more_the_more_goes(
    speech: tuple[Sentences, list[str]],
) -> None:
    sentences, held_out = speech
    levels = levels_of(sentences, 5)
    lost = losses(levels)
    whole = cross_entropy(model_of(sentences, levels), held_out)
    all_losses = np.sort(np.concatenate(lost[1:]))
    sizes, entropies = [], []
    for share in (0.5, 0.8, 0.95):
        model = model_of(sentences, prune(levels, lost, all_losses[int(share * len(all_losses))]))
        sizes.append(sum(model.counts))
        entropies.append(cross_entropy(model, held_out))
    assert [a > b for a, b in itertools.pairwise([sum(map(len, levels)), *sizes])] == [True] * 3
    assert entropies[0] < 1.1 * whole
    assert entropies == sorted(entropies)


def test_the_estimates_are_those_of_the_paper() -> None:
    """By hand: too few counts, so the discounts are 0.5, 1 and 1.5."""
    sentences = Sentences.of(["a b", "a b", "a c"], "word")
    model = model_of(sentences, levels_of(sentences, 2))
    # Before a: <s>. Before b and c: a. Before </s>: b and c. Five kinds of pairs.
    uniform = 1 / 5  # a, b, c, </s>, <unk>
    weight = (3 * 0.5 + 1.0) / 5
    of_b = 0.5 / 5 + weight * uniform
    state = score(model.tables, model.start_state, model.unit("a"))[1]
    after_a = (2 - 1.0) / 3 + (1.0 + 0.5) / 3 * of_b
    assert np.exp(score(model.tables, 0, model.unit("b"))[0]) == pytest.approx(of_b)
    assert np.exp(score(model.tables, state, model.unit("b"))[0]) == pytest.approx(after_a)
