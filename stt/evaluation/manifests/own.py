"""Tables and JSON lines with a path and a text: our own, and NeMo's."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from stt.errors import ConfigurationError
from stt.evaluation.manifests.base import (
    Head,
    Manifest,
    ManifestFormat,
    Utterance,
    existing,
    malformed,
    read_gender,
    read_lines,
    read_seconds,
)
from stt.normalisation import PathFinder

PATH_COLUMNS = ("path", "file", "audio_filepath")
TEXT_COLUMN = "text"


def _read_tsv(manifest: Manifest) -> Iterator[Utterance]:
    lines, paths = read_lines(manifest.path), PathFinder()
    header = next(lines, (1, ""))[1].split("\t")
    for number, line in lines:
        # Quotation marks belong to the text.
        yield _utterance(dict(zip(header, line.split("\t"), strict=False)), manifest, number, paths)


def _read_jsonl(manifest: Manifest) -> Iterator[Utterance]:
    paths = PathFinder()
    for number, line in read_lines(manifest.path):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            raise malformed(manifest.path, number, "a JSON object")
        yield _utterance(row, manifest, number, paths)


def _utterance(
    row: Mapping[str, Any], manifest: Manifest, line: int, paths: PathFinder
) -> Utterance:
    name = next((row[column] for column in PATH_COLUMNS if row.get(column)), None)
    reference = row.get(TEXT_COLUMN)
    if not isinstance(name, str) or not isinstance(reference, str):
        columns = " or ".join(PATH_COLUMNS)
        raise malformed(manifest.path, line, f"a path ({columns}) and a {TEXT_COLUMN}")
    if row.get("offset") not in (None, "", 0, "0", "0.0"):
        raise ConfigurationError(
            f"{manifest.path}, line {line}: the text is that of a part of {name} (offset "
            f"{row['offset']}), and whole files are transcribed. Cut the parts into files."
        )
    path = (manifest.audio or manifest.folder) / name
    return Utterance(
        name,
        existing(path, paths) or path,
        reference,
        speaker=str(row.get("speaker") or ""),
        gender=read_gender(str(row.get("gender") or "")),
        age=str(row.get("age") or ""),
        duration_seconds=read_seconds(row.get("duration"), manifest.path, line),
    )


def _is_tsv(head: Head) -> bool:
    columns = head.first.split("\t")
    return len(columns) > 1 and any(each in columns for each in (TEXT_COLUMN, *PATH_COLUMNS))


TSV = ManifestFormat(
    "tsv",
    "a table with tabs whose first line has the columns path (or file) and text",
    _is_tsv,
    _read_tsv,
)
JSONL = ManifestFormat(
    "jsonl",
    "a JSON object on each line, with path (or NeMo's audio_filepath) and text",
    lambda head: head.first.lstrip().startswith("{"),
    _read_jsonl,
)
