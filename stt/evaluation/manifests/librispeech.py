"""LibriSpeech's layout, which Zeroth-Korean (OpenSLR 40) has too.

Folders of recordings, each with a ``*.trans.txt`` of lines ``ID text``. The speaker is the first
part of the ID. ``AUDIO_INFO`` of Zeroth and ``SPEAKERS.TXT`` of LibriSpeech, above the folders of
the test set, have the genders of speakers; the names of people in them are not kept.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from stt.errors import ConfigurationError
from stt.evaluation.manifests.base import (
    SUFFIXES,
    Head,
    Manifest,
    ManifestFormat,
    Utterance,
    malformed,
    printable,
    read_gender,
    read_lines,
)

ENDING = ".trans.txt"
SPEAKERS = {"AUDIO_INFO": 2, "SPEAKERS.TXT": 1}
"""Files about the speakers, ``|`` between the columns: an id first, the gender in this column."""
LEVELS = 4
"""How many folders up the file about the speakers is looked for."""


def _read(manifest: Manifest) -> Iterator[Utterance]:
    texts = _texts(manifest.path)
    if manifest.path.is_dir() and any((manifest.path / name).is_file() for name in SPEAKERS):
        sets = sorted({text.relative_to(manifest.path).parts[0] for text in texts})
        if len(sets) > 1:
            raise ConfigurationError(
                f"{manifest.path} holds several data sets ({', '.join(sets)}). Name one, such as "
                f"{manifest.path / sets[-1]}."
            )
    genders = _genders(manifest.folder)
    for text in texts:
        for number, line in read_lines(text):
            identity, _, reference = line.strip().partition(" ")
            if "/" in identity or "\\" in identity:
                raise malformed(text, number, f"the id of a recording, not {identity!r}")
            path = _find(text.parent, identity)
            speaker = identity.replace("-", "_").partition("_")[0]
            yield Utterance(
                printable(path.relative_to(manifest.folder)),
                path,
                reference.strip(),
                speaker=speaker,
                gender=genders.get(speaker, ""),
            )


def _texts(path: Path) -> list[Path]:
    return sorted(path.rglob(f"*{ENDING}")) if path.is_dir() else [path]


def _find(folder: Path, identity: str) -> Path:
    for suffix in (".flac", *SUFFIXES):
        if (path := folder / f"{identity}{suffix}").is_file():
            return path
    return folder / f"{identity}.flac"


def _genders(folder: Path) -> Mapping[str, str]:
    for above in (folder, *folder.resolve().parents[:LEVELS]):
        for name, column in SPEAKERS.items():
            if (file := above / name).is_file():
                rows = (line.split("|") for _, line in read_lines(file))
                return {
                    row[0].strip(): read_gender(row[column]) for row in rows if len(row) > column
                }
    return {}


def _matches(head: Head) -> bool:
    if head.path.is_dir():
        return next(head.path.rglob(f"*{ENDING}"), None) is not None
    return head.path.name.endswith(ENDING)


LIBRISPEECH = ManifestFormat(
    "librispeech",
    "a folder of Zeroth-Korean or LibriSpeech with *.trans.txt beside the recordings",
    _matches,
    _read,
)
