"""All formats of manifests; a new one is a module and an entry here."""

import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import MappingProxyType

from stt.errors import ConfigurationError
from stt.evaluation.manifests.base import Head, Manifest, ManifestFormat, Utterance, read_lines
from stt.evaluation.manifests.clovacall import CLOVACALL
from stt.evaluation.manifests.common_voice import COMMON_VOICE
from stt.evaluation.manifests.fleurs import FLEURS
from stt.evaluation.manifests.kaldi import KALDI
from stt.evaluation.manifests.ksponspeech import AIHUB, KSPONSPEECH
from stt.evaluation.manifests.librispeech import LIBRISPEECH
from stt.evaluation.manifests.own import JSONL, TSV
from stt.normalisation import compose

FORMATS: Mapping[str, ManifestFormat] = MappingProxyType(
    {
        each.name: each
        for each in (
            COMMON_VOICE,
            TSV,
            JSONL,
            FLEURS,
            CLOVACALL,
            KSPONSPEECH,
            KALDI,
            LIBRISPEECH,
            AIHUB,
        )
    }
)
"""By name; the first that matches counts."""

_UNWRITABLE = re.compile("[\ud800-\udfff]")


def read_manifest(
    manifest: Path, format_name: str | None = None, audio: Path | None = None
) -> list[Utterance]:
    """Read a list of recordings with their reference texts.

    Args:
        manifest: A file, or the folder of a data set.
        format_name: One of `FORMATS`; None finds it by the content.
        audio: The folder of the recordings; None: where the format has them.

    Raises:
        ConfigurationError: no format fits, or a line is malformed; the message names it.
    """
    if audio and not audio.is_dir():
        raise ConfigurationError(f"--audio {audio}: there is no such folder.")
    found = find_format(manifest, format_name)
    utterances = [  # JSON can spell what is not in NFC with escapes
        replace(each, name=compose(each.name), reference=compose(each.reference))
        for each in found.read(Manifest(manifest, audio))
    ]
    for each in utterances:
        # Else reports could not be written, or files opened, after all the work.
        if "\0" in each.name or _UNWRITABLE.search(
            "".join((each.name, each.reference, each.speaker, each.age))
        ):
            raise ConfigurationError(
                f"{manifest}: {each.name!r} or its text has what is no character (NUL, or half of "
                "a pair such as \\ud800). Write the list in UTF-8."
            )
    if not utterances:
        raise ConfigurationError(f"{manifest} lists no recordings ({found.name}: {found.about}).")
    return utterances


def find_format(manifest: Path, name: str | None = None) -> ManifestFormat:
    """The format of that name; None finds it by the manifest's content.

    Raises:
        ConfigurationError: none fits.
    """
    if name:
        return FORMATS[name]
    head = Head(manifest, ())
    if not manifest.is_dir():
        head = Head(manifest, tuple(line for _, line in islice(read_lines(manifest), 3)))
    for each in FORMATS.values():
        if each.matches(head):
            return each
    abouts = "".join(f"\n  {each.name:<13} {each.about}" for each in FORMATS.values())
    inside = sorted(
        (*manifest.glob("test*.tsv"), *manifest.glob("*.trn"), *manifest.glob("*.json"))
    )
    hint = f" Name a file in it, such as {inside[0]}." if inside else ""
    raise ConfigurationError(
        f"{manifest} is not in any format that is known.{hint} Expected one of these, named by "
        f"--format:{abouts}"
    )
