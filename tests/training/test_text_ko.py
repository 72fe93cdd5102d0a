"""The Korean corpus: invariants of the splits."""

import pytest

from training import lexicon_ko, phrases_ko, text_ko
from training.splits import Splits
from training.vocabulary import KOREAN

SEED = 3


@pytest.fixture(scope="module")
def splits() -> Splits:
    return text_ko.make_splits(4000, SEED)


def test_splits_have_their_sizes(splits: Splits):
    assert len(splits.train) == 4000
    assert len(splits.dev) == text_ko.N_DEV
    assert len(splits.test_sentences) == text_ko.N_TEST_SENTENCES
    assert len(splits.test_pairs) == text_ko.N_TEST_PAIRS
    assert len(splits.test_words) == text_ko.N_TEST_WORDS


def test_a_seed_gives_the_same_texts(splits: Splits):
    assert text_ko.make_splits(4000, SEED) == splits
    assert text_ko.make_splits(4000, SEED + 1).test_sentences != splits.test_sentences


def test_held_out_sentences_do_not_depend_on_the_training_size(splits: Splits):
    fewer = text_ko.make_splits(3000, SEED)
    assert fewer.test_words == splits.test_words
    assert fewer.test_sentences == splits.test_sentences


def test_no_text_is_repeated(splits: Splits):
    everything = [
        *splits.train,
        *splits.dev,
        *splits.test_sentences,
        *splits.test_pairs,
        *splits.test_words,
    ]
    assert len(set(everything)) == len(everything)


def test_no_held_out_word_is_in_training(splits: Splits):
    held = text_ko.hold_out(SEED)
    assert not any(held.has_word(text) for text in splits.train + splits.dev)
    assert not any(held.has_word(text) for text in splits.test_sentences + splits.test_pairs)
    assert all(held.has_word(text) for text in splits.test_words)


def test_no_held_out_noun_has_an_ending_in_training(splits: Splits):
    """A token that begins with a held-out noun must be another word of the lexicon."""
    held = text_ko.hold_out(SEED)
    nouns = {noun for words in held.unseen.nouns.values() for noun in words if len(noun) > 2}
    known = {noun for words in held.known.nouns.values() for noun in words}
    known |= set(lexicon_ko.TIMES)
    fixed = {word for phrase in phrases_ko.GREETINGS for word in phrase.split()}
    tokens = {token for text in splits.train for token in text.split()} - fixed
    for token in tokens:
        if any(token.startswith(noun) for noun in nouns):
            assert any(token.startswith(noun) for noun in known), token


def test_held_out_pairs_are_never_neighbours_in_training(splits: Splits):
    for text in splits.train + splits.dev + splits.test_sentences:
        assert not text_ko.has_held_out_pair(text), text
    assert all(text_ko.has_held_out_pair(text) for text in splits.test_pairs)


def test_everyday_sentences_are_all_in_training(splits: Splits):
    held = text_ko.hold_out(SEED)
    expected = {text for text in phrases_ko.GREETINGS if not held.has_word(text)}
    assert expected <= set(splits.train)
    assert len(expected) > 0.8 * len(phrases_ko.GREETINGS)


def test_every_text_can_be_spelled(splits: Splits):
    for text in splits.train + splits.test_words:
        assert KOREAN.decode(_with_blanks(KOREAN.encode(text))) == text


def _with_blanks(ids: list[int]) -> list[int]:
    """The frames of a perfect recogniser: a blank after every token."""
    return [frame for token in ids for frame in (token, 0)]
