"""The English corpus: inflection on small examples, and invariants of the splits."""

import random
import re
from collections import Counter

import pytest

from training import lexicon_en as lexicon
from training.splits import Splits
from training.text_en import (
    MAX_CHARACTERS,
    MAX_WORDS,
    MIN_USES,
    N_DEV,
    N_TEST,
    Vocabulary,
    has_held_pair,
    known_singles,
    make_splits,
    part_vocabulary,
)

N_TRAIN, SEED = 20_000, 7


@pytest.fixture(scope="module")
def splits() -> Splits:
    return make_splits(N_TRAIN, SEED)


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return part_vocabulary(random.Random(SEED))


@pytest.mark.parametrize(
    ("noun", "expected"),
    [
        ("cat", "cats"),
        ("box", "boxes"),
        ("church", "churches"),
        ("cherry", "cherries"),
        ("toy", "toys"),
        ("child", "children"),
        ("potato", "potatoes"),
        ("piano", "pianos"),
        ("sheep", "sheep"),
    ],
)
def test_plural(noun: str, expected: str) -> None:
    assert lexicon.plural(noun) == expected


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("carry", "carry carries carrying carried carried"),
        ("play", "play plays playing played played"),
        ("stop", "stop stops stopping stopped stopped"),
        ("visit", "visit visits visiting visited visited"),
        ("prefer", "prefer prefers preferring preferred preferred"),
        ("offer", "offer offers offering offered offered"),
        ("agree", "agree agrees agreeing agreed agreed"),
        ("fix", "fix fixes fixing fixed fixed"),
        ("clean", "clean cleans cleaning cleaned cleaned"),
        ("go:went:gone", "go goes going went gone"),
        ("lie:lay:lain", "lie lies lying lay lain"),
        ("write:wrote:written", "write writes writing wrote written"),
        ("begin:began:begun", "begin begins beginning began begun"),
    ],
)
def test_verb_forms(entry: str, expected: str) -> None:
    assert list(lexicon.verb_forms(entry).values()) == expected.split()


@pytest.mark.parametrize(
    ("adjective", "expected"),
    [
        ("big", ("bigger", "biggest")),
        ("large", ("larger", "largest")),
        ("happy", ("happier", "happiest")),
        ("clean", ("cleaner", "cleanest")),
        ("good", ("better", "best")),
        ("careful", ("more careful", "most careful")),
        ("wooden", ("more wooden", "most wooden")),
    ],
)
def test_comparison(adjective: str, expected: tuple[str, str]) -> None:
    assert lexicon.comparison(adjective) == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("apple", "an"),
        ("pear", "a"),
        ("hour", "an"),
        ("honest", "an"),
        ("university", "a"),
        ("useful", "a"),
        ("uncle", "an"),
        ("unimportant", "an"),
        ("unicorn", "a"),
    ],
)
def test_article(word: str, expected: str) -> None:
    assert lexicon.article(word) == expected


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0, "zero"),
        (14, "fourteen"),
        (40, "forty"),
        (99, "ninety nine"),
        (305, "three hundred five"),
        (2010, "two thousand ten"),
    ],
)
def test_number_words(number: int, expected: str) -> None:
    assert lexicon.number_words(number) == expected


def test_all_entries_of_a_verb_have_the_same_forms() -> None:
    entries: dict[str, set[str]] = {}
    for block in lexicon.verb_lists().values():
        for entry in block:
            entries.setdefault(entry.partition(":")[0], set()).add(entry)
    assert {base: found for base, found in entries.items() if len(found) > 1} == {}


def test_the_lexicon_is_large() -> None:
    words = {entry.partition(":")[0] for block in lexicon.word_lists().values() for entry in block}
    assert len(words) > 2_500
    assert all(re.fullmatch(r"[a-z]+", word) for word in words)


def test_splits_have_their_sizes_and_no_duplicates(splits: Splits) -> None:
    lists = [
        splits.train, splits.dev, splits.test_sentences, splits.test_pairs, splits.test_words
    ]  # fmt: skip
    assert [len(texts) for texts in lists] == [N_TRAIN, N_DEV, N_TEST, N_TEST, N_TEST]
    texts = [text for block in lists for text in block]
    assert len(set(texts)) == len(texts)


def test_alphabet_and_length(splits: Splits) -> None:
    for block in vars(splits).values():
        for text in block:
            assert re.fullmatch(r"[A-Z']+( [A-Z']+)*", text)
            assert len(text) <= MAX_CHARACTERS and len(text.split()) <= MAX_WORDS


def test_held_out_words_and_pairs(splits: Splits, vocabulary: Vocabulary) -> None:
    for text in splits.train + splits.dev + splits.test_sentences:
        assert not vocabulary.has_held_word(text) and not has_held_pair(text), text
    for text in splits.test_pairs:
        assert has_held_pair(text) and not vocabulary.has_held_word(text), text
    assert all(map(vocabulary.has_held_word, splits.test_words))


def test_a_noun_and_its_plural_are_held_out_together(vocabulary: Vocabulary) -> None:
    for name, block in vocabulary.known.items():
        if name.startswith("noun"):
            for noun in block:
                assert lexicon.plural(noun).upper() not in vocabulary.held_forms
    assert sum(len(block) for name, block in vocabulary.held.items() if "noun" in name) > 100


def test_only_test_words_has_unknown_words(splits: Splits) -> None:
    seen = {word for text in splits.train for word in text.split()}
    others = splits.dev + splits.test_sentences + splits.test_pairs
    assert {word for text in others for word in text.split()} <= seen


def test_every_known_word_occurs_alone_and_often(splits: Splits, vocabulary: Vocabulary) -> None:
    assert set(known_singles(vocabulary)) <= set(splits.train)
    counts = Counter(word for text in splits.train for word in text.split())
    for name, block in vocabulary.known.items():
        for entry in block:
            forms = lexicon.word_forms(name.partition(".")[0], entry)
            assert sum(counts[form.upper()] for form in forms) >= MIN_USES, entry


def test_many_words_are_held_out(splits: Splits, vocabulary: Vocabulary) -> None:
    words = {word for text in splits.test_words for word in text.split()}
    assert len(words & vocabulary.held_forms) > 120


def test_a_seed_gives_the_same_texts() -> None:
    first = make_splits(1_000, 3)
    assert first == make_splits(1_000, 3)
    assert first != make_splits(1_000, 4)
