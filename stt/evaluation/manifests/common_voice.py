"""Common Voice's tables: ``test.tsv`` with a header, recordings in ``clips/``."""

from collections.abc import Iterator

from stt.evaluation.manifests.base import (
    Finder,
    Head,
    Manifest,
    ManifestFormat,
    Utterance,
    malformed,
    read_gender,
    read_lines,
)

COLUMNS = ("client_id", "path", "sentence")
SPEAKER_LETTERS = 8
"""Of the 128 hexadecimal digits of a client id; enough to tell the speakers of a test set apart."""


def _read(manifest: Manifest) -> Iterator[Utterance]:
    finder = Finder(manifest, [manifest.folder / "clips", manifest.folder])
    lines = read_lines(manifest.path)
    header = next(lines, (1, ""))[1].split("\t")
    if missing := [column for column in COLUMNS if column not in header]:
        raise malformed(manifest.path, 1, f"a header with the columns {', '.join(missing)}")
    for number, line in lines:
        values = line.split("\t")
        if len(values) != len(header):
            expected = f"{len(header)} columns as in the header (there are {len(values)})"
            raise malformed(manifest.path, number, expected)
        row = dict(zip(header, values, strict=True))
        yield Utterance(
            row["path"],
            finder.find(row["path"], number),
            row["sentence"],
            speaker=row["client_id"][:SPEAKER_LETTERS],
            gender=read_gender(row.get("gender", "")),
            age=row.get("age", ""),
        )
    finder.check()


def _matches(head: Head) -> bool:
    columns = head.first.split("\t")
    return all(column in columns for column in COLUMNS)


COMMON_VOICE = ManifestFormat(
    "common-voice",
    "a table of Common Voice (test.tsv) with the columns client_id, path and sentence",
    _matches,
    _read,
)
