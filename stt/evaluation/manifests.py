"""Manifests: lists of recordings with their reference texts."""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stt.errors import ConfigurationError
from stt.normalisation import PathFinder, compose

PATH_COLUMNS = ("path", "file", "audio_filepath")
TEXT_COLUMN = "text"


@dataclass(frozen=True)
class Utterance:
    """One line of a manifest."""

    name: str
    """The path as written in the manifest, in NFC."""
    path: Path
    """The path to open, whose name may be in another form."""
    reference: str
    """The reference text as written in the manifest, in NFC; "" for silence."""


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
    utterances, finder = [], PathFinder()
    for line, row in reader(text, manifest):
        name = next((row[column] for column in PATH_COLUMNS if row.get(column)), None)
        reference = row.get(TEXT_COLUMN)
        if not isinstance(name, str) or not isinstance(reference, str):
            raise ConfigurationError(
                f"{manifest}, line {line}: expected a path ({' or '.join(PATH_COLUMNS)}) and a "
                f"{TEXT_COLUMN}."
            )
        path = finder.find(manifest.parent / name)
        utterances.append(Utterance(compose(name), path, compose(reference)))
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
