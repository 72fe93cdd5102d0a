"""FLEURS's tables: seven columns without a header.

id, file, raw transcription, transcription, its characters, samples at 16 kHz, gender. The reference
is the raw transcription, whose punctuation our normalisers remove: some rows of the other one join
two Korean sentences without a space.
"""

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
from stt.types import SAMPLE_RATE

N_COLUMNS = 7
MOST_DIGITS = 12
"""Of a number of samples."""
EXPECTED = "7 columns: id, file, raw transcription, transcription, characters, samples, gender"


def _read(manifest: Manifest) -> Iterator[Utterance]:
    split = manifest.path.stem
    folder = manifest.folder
    finder = Finder(manifest, [folder / "audio" / split, folder / split, folder / "audio", folder])
    for number, line in read_lines(manifest.path):
        columns = line.split("\t")
        if len(columns) != N_COLUMNS or not _is_count(columns[5]):
            raise malformed(manifest.path, number, f"{EXPECTED} (there are {len(columns)})")
        _, name, raw, _, _, n_samples, gender = columns
        yield Utterance(
            name,
            finder.find(name, number),
            raw,
            gender=read_gender(gender),
            duration_seconds=int(n_samples) / SAMPLE_RATE,
        )
    finder.check()


def _is_count(written: str) -> bool:
    return written.strip().isdecimal() and len(written) <= MOST_DIGITS


def _matches(head: Head) -> bool:
    columns = head.first.split("\t")
    return len(columns) == N_COLUMNS and _is_count(columns[5])


FLEURS = ManifestFormat(
    "fleurs", f"a table of FLEURS (test.tsv) without a header and with {EXPECTED}", _matches, _read
)
