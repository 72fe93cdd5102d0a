"""How right a model is: references and hypotheses -> error rates. Nothing here runs a model.

Rates are those of the whole set: all errors over all units of all references, so a long recording
counts for more than a short one. CER is given with spaces counted and without them: where Korean
puts its spaces is a matter on which writers differ, and it decides what a word is, so WER too.
"""

import csv
import json
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from stt.errors import ConfigurationError

PATH_COLUMNS = ("path", "file", "audio_filepath")
TEXT_COLUMN = "text"


@dataclass(frozen=True)
class Utterance:
    """One line of a manifest."""

    name: str
    """The path as the manifest has it."""
    path: Path
    """The path as it can be opened."""
    reference: str
    """What is said, as the manifest has it; "" where nothing is."""


def read_manifest(manifest: Path) -> list[Utterance]:
    """Read a list of recordings and their texts.

    ``.tsv`` has a header with a column ``path`` (or ``file``) and a column ``text``; ``.jsonl`` has
    an object with these keys on each line. ``audio_filepath`` is taken too, further columns are
    not. Paths are relative to the manifest.

    Raises:
        ConfigurationError: naming the line that is not of that form.
    """
    readers = {".tsv": _read_tsv, ".jsonl": _read_jsonl}
    reader = readers.get(manifest.suffix.lower())
    if reader is None:
        raise ConfigurationError(f"{manifest}: expected a manifest named .tsv or .jsonl.")
    try:
        # The mark that some editors put at the start of UTF-8 is not part of the first column.
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
    # A quotation mark is what somebody said, not a quoting of the column.
    # Not splitlines: it takes U+2028 and its like for line ends, which may stand in a text.
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


def normalise_basic(text: str) -> str:
    """NFC, lower case, without punctuation, single spaces.

    Punctuation is every character of Unicode category P; it is removed, not replaced by a space:
    "don't" and "dont" are one word. Symbols (category S, such as "+" and "$") and digits stay.
    """
    composed = unicodedata.normalize("NFC", text).lower()
    kept = "".join(char for char in composed if unicodedata.category(char)[0] != "P")
    # Lowering can decompose (İ), and what is removed can have stood between letter and mark.
    return " ".join(unicodedata.normalize("NFC", kept).split())


DEFAULT_NORMALISER = "basic"
NORMALISERS: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {DEFAULT_NORMALISER: normalise_basic, "none": lambda text: text}
)
"""What is done to references and hypotheses alike before they are compared, by name."""


@dataclass(frozen=True)
class Errors:
    """The fewest edits that turn references into hypotheses, in words or in characters."""

    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0
    reference_units: int = 0
    """Words or characters of the references."""

    @property
    def total(self) -> int:
        """All edits."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def rate(self) -> float | None:
        """Edits for each unit of the references; over 1 is possible.

        None where the references are empty and the hypotheses are not: no rate says that.
        """
        if self.reference_units:
            return self.total / self.reference_units
        return 0.0 if self.total == 0 else None


@dataclass(frozen=True)
class Scores:
    """How far hypotheses are from references."""

    words: Errors
    characters: Errors
    """Spaces between words counted."""
    characters_without_spaces: Errors


def score(pairs: Iterable[tuple[str, str]]) -> Scores:
    """Compare references with hypotheses, as they are; normalise before.

    A reference may be empty: what is heard there all the same counts as inserted.

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
    """Words with a single space between them; jiwer knows no other white space between words."""
    return [" ".join(text.split()) for text in texts]


def _joined(texts: Iterable[str]) -> list[str]:
    """Without any white space."""
    return ["".join(text.split()) for text in texts]


def _count(output: Any) -> Errors:
    # Not jiwer's own rate: for empty references it is a count of insertions, which is no rate.
    return Errors(
        substitutions=output.substitutions,
        deletions=output.deletions,
        insertions=output.insertions,
        reference_units=output.hits + output.substitutions + output.deletions,
    )


@dataclass(frozen=True)
class Result:
    """One recording and what was heard in it."""

    utterance: Utterance
    hypothesis: str
    """As the model gave it."""
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
    """The results with the highest CER, none of them right; at equal CER, more errors first."""

    def badness(result: Result) -> tuple[float, int]:
        rate = result.scores.characters.rate
        return float("inf") if rate is None else rate, result.scores.characters.total

    wrong = [result for result in results if result.scores.characters.total]
    return sorted(wrong, key=badness, reverse=True)[:count]
