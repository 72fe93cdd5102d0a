"""Error rates of hypotheses against references.

Rates cover the whole set: all errors over all units of all references, so long recordings weigh
more than short ones. There is a CER with and one without spaces, because writers of Korean differ
on where spaces go, which also changes the WER.
"""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from stt.errors import ConfigurationError
from stt.normalisation import normalise_basic

PATH_COLUMNS = ("path", "file", "audio_filepath")
TEXT_COLUMN = "text"


@dataclass(frozen=True)
class Utterance:
    """One line of a manifest."""

    name: str
    """The path as written in the manifest."""
    path: Path
    """The path to open."""
    reference: str
    """The reference text as written in the manifest; "" for silence."""


def read_manifest(manifest: Path) -> list[Utterance]:
    """Read a list of recordings with their reference texts.

    A ``.tsv`` has a header with the columns ``path`` (or ``file``, or ``audio_filepath``) and
    ``text``; a ``.jsonl`` has an object with these keys on each line. Other columns are ignored.
    Paths are relative to the manifest.

    Raises:
        ConfigurationError: a line is malformed; the message names it.
    """
    readers = {".tsv": _read_tsv, ".jsonl": _read_jsonl}
    reader = readers.get(manifest.suffix.lower())
    if reader is None:
        raise ConfigurationError(f"{manifest}: expected a manifest named .tsv or .jsonl.")
    try:
        # utf-8-sig: some editors put a byte order mark before the first column.
        text = manifest.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigurationError(f"{manifest} cannot be read: {reason}.") from None
    utterances = []
    for line, row in reader(text, manifest):
        name = next((row[column] for column in PATH_COLUMNS if row.get(column)), None)
        reference = row.get(TEXT_COLUMN)
        if not isinstance(name, str) or not isinstance(reference, str):
            raise ConfigurationError(
                f"{manifest}, line {line}: expected a path ({' or '.join(PATH_COLUMNS)}) and a "
                f"{TEXT_COLUMN}."
            )
        utterances.append(Utterance(name, manifest.parent / name, reference))
    if not utterances:
        raise ConfigurationError(f"{manifest} lists no recordings.")
    return utterances


def _read_tsv(text: str, manifest: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    # Quotation marks belong to the text. Not splitlines: it also splits at U+2028 and its like,
    # which may occur in a text.
    lines = text.replace("\r\n", "\n").split("\n")
    rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    yield from ((rows.line_num, row) for row in rows)


def _read_jsonl(text: str, manifest: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if not isinstance(row, dict):
            raise ConfigurationError(f"{manifest}, line {number}: expected a JSON object.")
        yield number, row


DEFAULT_NORMALISER = "basic"
NORMALISERS: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {DEFAULT_NORMALISER: normalise_basic, "none": lambda text: text}
)
"""Normalisers by name, applied to references and hypotheses before they are compared."""


@dataclass(frozen=True)
class Errors:
    """The fewest edits that turn references into hypotheses, in words or characters."""

    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0
    reference_units: int = 0
    """Words or characters in the references."""

    @property
    def total(self) -> int:
        """All edits."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def rate(self) -> float | None:
        """Edits per unit of the references; can exceed 1.

        None if the references are empty and the hypotheses are not.
        """
        if self.reference_units:
            return self.total / self.reference_units
        return 0.0 if self.total == 0 else None


@dataclass(frozen=True)
class Scores:
    """Errors of hypotheses against references."""

    words: Errors
    characters: Errors
    """Spaces between words count."""
    characters_without_spaces: Errors


def score(pairs: Iterable[tuple[str, str]]) -> Scores:
    """Count the errors. Normalise the texts first; this compares them unchanged.

    A reference may be empty; whatever the hypothesis then has counts as inserted.

    Args:
        pairs: (reference, hypothesis).
    """
    import jiwer

    pairs = list(pairs)
    if not pairs:
        return Scores(Errors(), Errors(), Errors())
    references, hypotheses = map(list, zip(*pairs, strict=True))
    return Scores(
        _count(jiwer.process_words(_spaced(references), _spaced(hypotheses))),
        _count(jiwer.process_characters(references, hypotheses)),
        _count(jiwer.process_characters(_joined(references), _joined(hypotheses))),
    )


def _spaced(texts: Iterable[str]) -> list[str]:
    """Collapse white space to single spaces; jiwer splits words only at spaces."""
    return [" ".join(text.split()) for text in texts]


def _joined(texts: Iterable[str]) -> list[str]:
    """Remove all white space."""
    return ["".join(text.split()) for text in texts]


def _count(output: Any) -> Errors:
    # Not jiwer's own rate, which for empty references is the number of insertions.
    return Errors(
        substitutions=output.substitutions,
        deletions=output.deletions,
        insertions=output.insertions,
        reference_units=output.hits + output.substitutions + output.deletions,
    )


@dataclass(frozen=True)
class Result:
    """One recording and its score."""

    utterance: Utterance
    hypothesis: str
    """The model's text, not normalised."""
    audio_seconds: float
    compared: tuple[str, str]
    """Reference and hypothesis after the normaliser."""
    scores: Scores


def compare(utterance: Utterance, hypothesis: str, audio_seconds: float, normaliser: str) -> Result:
    """Normalise and score one recording."""
    normalise = NORMALISERS[normaliser]
    compared = normalise(utterance.reference), normalise(hypothesis)
    return Result(utterance, hypothesis, audio_seconds, compared, score([compared]))


def worst(results: Iterable[Result], count: int) -> list[Result]:
    """The results with the highest CER, without the correct ones; ties: more errors first."""

    def badness(result: Result) -> tuple[float, int]:
        rate = result.scores.characters.rate
        return float("inf") if rate is None else rate, result.scores.characters.total

    wrong = [result for result in results if result.scores.characters.total]
    return sorted(wrong, key=badness, reverse=True)[:count]
