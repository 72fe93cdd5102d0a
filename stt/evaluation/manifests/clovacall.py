"""ClovaCall's lists: an array of ``{"wav", "text", "speaker_id"}``."""

import json
from collections.abc import Iterator
from pathlib import Path

from stt.errors import ConfigurationError
from stt.evaluation.manifests.base import (
    Finder,
    Head,
    Manifest,
    ManifestFormat,
    Utterance,
    existing,
    read_text,
)
from stt.normalisation import PathFinder


def _read(manifest: Manifest) -> Iterator[Utterance]:
    try:
        rows = json.loads(read_text(manifest.path))
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{manifest.path} is not valid JSON: {error}.") from None
    if not isinstance(rows, list):
        raise ConfigurationError(f"{manifest.path}: expected {CLOVACALL.about}.")
    finder: Finder | None = None
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict) or not all(
            isinstance(row.get(key), str) for key in ("wav", "text")
        ):
            raise ConfigurationError(
                f'{manifest.path}, entry {number}: expected {{"wav": "a.wav", "text": "…", '
                '"speaker_id": "…"}.'
            )
        finder = finder or Finder(manifest, _folders(manifest, row["wav"]))
        yield Utterance(
            row["wav"],
            finder.find(row["wav"], number),
            row["text"],
            speaker=str(row.get("speaker_id") or ""),
        )
    if finder:
        finder.check()


def _folders(manifest: Manifest, name: str) -> list[Path]:
    """Where the recordings are: beside the list, or in a folder there.

    Raises:
        ConfigurationError: several folders have them; ``clean`` is ``raw`` without silence.
    """
    if manifest.audio or ".." in Path(name).parts:
        return [manifest.folder]
    inside = sorted(each for each in manifest.folder.iterdir() if each.is_dir())
    paths = PathFinder()
    having = [folder for folder in (manifest.folder, *inside) if existing(folder / name, paths)]
    if len(having) > 1:
        raise ConfigurationError(
            f"{manifest.path}: {name} is in {', '.join(map(str, having))}. Say which to use with "
            f"--audio, such as --audio {having[-1]}."
        )
    return having or [manifest.folder, *inside]


def _matches(head: Head) -> bool:
    return head.first.lstrip().startswith("[")


CLOVACALL = ManifestFormat(
    "clovacall",
    'an array of {"wav": …, "text": …, "speaker_id": …} as in ClovaCall\'s test_ClovaCall.json',
    _matches,
    _read,
)
