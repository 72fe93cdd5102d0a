"""The texts of a language, split into training, development and test sets."""

import csv
import unicodedata
import zlib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Splits:
    """Texts of one language, as spoken and as the model must spell them.

    No text is in two lists. A *held-out word* is in none of ``train`` and ``dev``, in any inflected
    form; a *held-out pair* is two words that are never neighbours there.
    """

    train: list[str]
    """Whole sentences, phrases and single words, shuffled."""
    dev: list[str]
    """For comparing runs: new sentences of known words and pairs."""
    test_sentences: list[str]
    """New sentences of known words and known pairs."""
    test_pairs: list[str]
    """With at least one held-out pair of known words each."""
    test_words: list[str]
    """With at least one held-out word each."""


@dataclass(frozen=True)
class EverydaySplits:
    """Sentences that people wrote, as they wrote them; no two lists share one."""

    train: list[str]
    dev: list[str]
    """About one in a hundred, for comparing runs."""
    held_out: list[str]
    """About one in ten. Neither acoustic nor language models may see these in training."""


def everyday_splits(path: Path) -> EverydaySplits:
    """Split a table of questions and answers (columns ``Q`` and ``A``) by its text alone.

    Sentences that differ only in spaces, punctuation or case are one sentence. All answers to a
    question, and all questions with an answer, are in the same list as it.
    """
    with path.open(encoding="utf-8", newline="") as file:
        rows = [(row["Q"], row["A"]) for row in csv.DictReader(file)]
    groups = _Groups()
    first_spelling: dict[str, str] = {}
    for row in rows:
        keys = [_key(sentence) for sentence in row]
        groups.join(*keys)
        for key, sentence in zip(keys, row, strict=True):
            first_spelling.setdefault(key, sentence)
    smallest: dict[str, str] = {}
    for key in sorted(first_spelling):
        smallest.setdefault(groups.root(key), key)
    splits = EverydaySplits([], [], [])
    for key, sentence in first_spelling.items():
        draw = zlib.crc32(smallest[groups.root(key)].encode()) % 100
        name = "held_out" if draw < 10 else "dev" if draw == 10 else "train"
        if key:
            getattr(splits, name).append(sentence)
    return splits


def _key(sentence: str) -> str:
    composed = unicodedata.normalize("NFC", sentence)
    return "".join(character for character in composed.casefold() if character.isalnum())


class _Groups:
    """Keys joined into groups (union-find)."""

    def __init__(self) -> None:
        self._parents: dict[str, str] = {}

    def root(self, key: str) -> str:
        while (parent := self._parents.setdefault(key, key)) != key:
            self._parents[key] = self._parents[parent]
            key = parent
        return key

    def join(self, one: str, other: str) -> None:
        self._parents[self.root(one)] = self.root(other)
