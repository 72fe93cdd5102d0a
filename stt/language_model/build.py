"""Builds a language model from texts: counts, estimates, prunes to a size, writes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from stt.errors import ConfigurationError
from stt.language_model.arpa import write_arpa
from stt.language_model.counting import count_ngrams
from stt.language_model.kneser_ney import Level, estimate, to_ngrams
from stt.language_model.ngram import START, NgramModel
from stt.language_model.pruning import Losses, kept, losses, prune
from stt.language_model.texts import CUTS, Sentences

DEFAULT_ORDER, MAX_ORDER = 5, 10
CLOSE_ENOUGH = 0.95
"""A file of this share of the size that was asked for is large enough."""
MAX_TRIES = 6

Report = Callable[[str], object]
"""Receives what the work is at, as a phrase."""


@dataclass(frozen=True)
class Plan:
    """What to build."""

    unit: str
    """A key of `CUTS`."""
    order: int = DEFAULT_ORDER
    prune: float = 0.0
    """Remove n-grams that lose less than this, in nats for each unit of text."""
    max_bytes: int | None = None
    """Prune until the file is no larger."""


def build(texts: Iterable[str], plan: Plan, path: Path, report: Report = lambda step: None) -> None:
    """Build a model and write it as ARPA, compressed if the name ends with ``.gz``.

    Args:
        texts: Normalised, each a sentence.
        plan: What to build.
        path: The file to write, whole or not at all.
        report: Receives each step.

    Raises:
        ConfigurationError: there is no text, or the vocabulary alone exceeds the size.
        OSError: the file cannot be written.
    """
    report("reading the texts")
    sentences = Sentences.of(texts, plan.unit)
    if not len(sentences):
        raise ConfigurationError("There is no text to build a language model from.")
    report(f"counting n-grams of {len(sentences):,} texts")
    levels = estimate(count_ngrams(sentences, plan.order), sentences.units.index(START))
    with TemporaryDirectory(dir=path.parent, prefix=".lm-") as folder:
        draft = Path(folder) / path.name
        _write_to_size(_Draft(draft, sentences.units, levels, losses(levels)), plan, report)
        draft.replace(path)


@dataclass(frozen=True, eq=False)
class _Draft:
    """A model that is written until it is small enough."""

    path: Path
    units: tuple[str, ...]
    levels: list[Level]
    losses: Losses

    def write(self, threshold: float) -> int:
        """Write what is left at a threshold; returns the size in bytes."""
        levels = prune(self.levels, self.losses, threshold) if threshold > 0 else self.levels
        write_arpa(self.path, self.units, to_ngrams(levels))
        return self.path.stat().st_size

    def n_kept(self, threshold: float) -> int:
        """Number of n-grams that are left at a threshold."""
        return sum(int(each.sum()) for each in kept(self.levels, self.losses, threshold))

    def threshold_for(self, n_ngrams: float) -> float:
        """The lowest threshold that leaves at most so many n-grams."""
        candidates = np.unique(np.concatenate(self.losses))
        low, high = 0, len(candidates) - 1
        while low < high:
            middle = (low + high) // 2
            if self.n_kept(candidates[middle]) <= n_ngrams:
                high = middle
            else:
                low = middle + 1
        return float(candidates[low])


def _write_to_size(draft: _Draft, plan: Plan, report: Report) -> None:
    report("writing")
    threshold = plan.prune
    size = draft.write(threshold)
    most = plan.max_bytes
    if most is None or size <= most:
        return
    fits = np.inf
    for _ in range(MAX_TRIES):
        wanted = draft.n_kept(threshold) * most / size * (1 + CLOSE_ENOUGH) / 2
        threshold = draft.threshold_for(wanted)
        report("pruning to the size")
        size = draft.write(threshold)
        if size <= most:
            fits = threshold
            if size >= CLOSE_ENOUGH * most:
                return
    if draft.write(fits) > most:
        raise ConfigurationError(
            f"The {len(draft.units):,} units alone need {draft.path.stat().st_size / 1e6:.2f} MB. "
            "Allow a larger size, or cut into syllables."
        )


@dataclass(frozen=True)
class Perplexity:
    """How well a model predicts texts."""

    per_unit: float
    """With the end of each text, without unknown units."""
    bits_per_character: float
    """The same for each character, spaces included: compares models of different units."""
    n_units: int
    n_unknown: int


def measure(model: NgramModel, texts: Iterable[str], unit: str) -> Perplexity:
    """Measure a model on normalised texts."""
    from stt.language_model.lookup import score_all

    total, n_units, n_unknown, n_characters = 0.0, 0, 0, 0
    for text in texts:
        units = [model.unit(each) for each in CUTS[unit](text)]
        if not units:
            continue
        units.append(model.tables.end)
        log_probs = score_all(model.tables, model.start_state, np.array(units, np.int32))
        is_known = np.array(units) != model.tables.unknown
        total -= float(log_probs[is_known].sum())
        n_units += int(is_known.sum())
        n_unknown += len(units) - int(is_known.sum())
        n_characters += len(text) + 1
    return Perplexity(
        per_unit=float(np.exp(total / max(1, n_units))),
        bits_per_character=total / float(np.log(2)) / max(1, n_characters),
        n_units=n_units,
        n_unknown=n_unknown,
    )
