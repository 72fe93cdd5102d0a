"""Kaldi's data folders: ``wav.scp`` and ``text``, and who speaks in ``utt2spk``."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from stt.errors import ConfigurationError
from stt.evaluation.manifests.base import (
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


def _read(manifest: Manifest) -> Iterator[Utterance]:
    folder = manifest.folder
    if (folder / "segments").is_file():
        raise ConfigurationError(
            f"{folder} has segments of longer recordings, and whole files are transcribed. Cut "
            "them into files (utils/data/extract_wav_segments_data_dir.sh)."
        )
    speakers, genders = _values(folder / "utt2spk"), _values(folder / "spk2gender")
    references, seconds = _values(folder / "text"), _values(folder / "utt2dur")
    scp, paths = folder / "wav.scp", PathFinder()
    for number, line in read_lines(scp):
        identity, _, name = line.strip().partition(" ")
        name = name.strip()
        if not name or name.endswith("|"):
            raise malformed(
                scp, number, f"ID PATH, not {line[:80]!r}: commands are not run; name files"
            )
        if identity not in references:
            raise ConfigurationError(f"{folder / 'text'} has no line for {identity} of wav.scp.")
        speaker = speakers.get(identity, "")
        yield Utterance(
            name,
            _find(name, manifest, paths),
            references[identity],
            speaker=speaker,
            gender=read_gender(genders.get(speaker, "")),
            duration_seconds=read_seconds(seconds.get(identity), folder / "utt2dur", number),
        )


def _find(name: str, manifest: Manifest, paths: PathFinder) -> Path:
    """Kaldi's paths are relative to where its scripts run; often that is here."""
    folders = [manifest.audio] if manifest.audio else [manifest.folder, Path()]
    found = (existing(folder / name, paths) for folder in folders)
    return next(filter(None, found), folders[0] / name)


def _values(file: Path) -> Mapping[str, str]:
    """The lines ``ID VALUE`` of a file; none if there is no file."""
    if not file.is_file():
        return {}
    pairs = (line.strip().partition(" ") for _, line in read_lines(file))
    return {identity: value.strip() for identity, _, value in pairs}


KALDI = ManifestFormat(
    "kaldi",
    "a folder of Kaldi with wav.scp and text",
    lambda head: all((head.path / name).is_file() for name in ("wav.scp", "text")),
    _read,
)
