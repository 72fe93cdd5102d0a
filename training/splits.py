"""The texts of a language, split into training, development and test sets."""

from dataclasses import dataclass


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
