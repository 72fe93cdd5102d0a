"""KsponSpeech's lists (``eval_clean.trn``), and the folders of AI Hub that have a text per file."""

from collections.abc import Iterator
from pathlib import Path

from stt.evaluation.manifests.base import (
    SUFFIXES,
    Finder,
    Head,
    Manifest,
    ManifestFormat,
    Utterance,
    malformed,
    printable,
    read_lines,
    read_text,
)

SEPARATOR = " :: "
TRANSCRIPTION = "dual-spoken"
"""CTC models write what is said."""


def _read_list(manifest: Manifest) -> Iterator[Utterance]:
    # The scripts are packed apart from the recordings, and folders are often left out or renamed.
    folders = [manifest.folder, manifest.folder.parent]
    folders += [folder / "KsponSpeech_eval" for folder in folders]
    finder = Finder(manifest, folders, loosely=True)
    for number, line in read_lines(manifest.path):
        name, separator, reference = line.partition(SEPARATOR)
        if not separator:
            raise malformed(
                manifest.path,
                number,
                f"PATH{SEPARATOR}TEXT, as in KsponSpeech_scripts/eval_clean.trn",
            )
        yield Utterance(name.strip(), finder.find(name.strip(), number), reference.strip())
    finder.check()


def _read_folder(manifest: Manifest) -> Iterator[Utterance]:
    for text in _texts(manifest.path):
        recording = _recording(text)
        if recording is None:
            continue
        name = printable(recording.relative_to(manifest.path))
        yield Utterance(name, recording, " ".join(read_text(text).split()))


def _texts(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.txt"))


def _recording(text: Path) -> Path | None:
    paths = (text.with_suffix(suffix) for suffix in (".pcm", *SUFFIXES))
    return next((path for path in paths if path.is_file()), None)


def _is_folder(head: Head) -> bool:
    return head.path.is_dir() and any(_recording(text) for text in head.path.rglob("*.txt"))


KSPONSPEECH = ManifestFormat(
    "ksponspeech",
    f"a list of KsponSpeech (eval_clean.trn) with PATH{SEPARATOR}TEXT on each line",
    lambda head: SEPARATOR in head.first,
    _read_list,
    TRANSCRIPTION,
)
AIHUB = ManifestFormat(
    "aihub",
    "a folder of recordings (.pcm or .wav), each with its text in a .txt of the same name",
    _is_folder,
    _read_folder,
    TRANSCRIPTION,
)
