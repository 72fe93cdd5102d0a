"""Texts, and which of them the model may never see while it learns."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Splits:
    """Texts of one language, as they are spoken and as the model must spell them.

    No text stands in two lists. A *held-out word* is in none of ``train`` and ``dev``, in any of
    its inflected forms; a *held-out pair* is two neighbouring words that never stand side by side
    there.
    """

    train: list[str]
    """Whole sentences, phrases and single words, shuffled."""
    dev: list[str]
    """For choosing between runs; known words, known pairs, new sentences."""
    test_sentences: list[str]
    """New sentences of known words and known pairs."""
    test_pairs: list[str]
    """Each has at least one held-out pair of known words."""
    test_words: list[str]
    """Each has at least one held-out word."""
