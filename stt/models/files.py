"""The files of a checkpoint, and checks that none is missing."""

import json
from collections.abc import Iterable
from pathlib import Path

from stt.engines.families.table import family_of
from stt.engines.vocabulary import CHARACTERS, PIECES
from stt.engines.weights import ADAPTERS, WEIGHTS
from stt.errors import ModelBroken
from stt.language_model.source import ATTRIBUTES, SUFFIXES
from stt.language_model.source import FOLDER as LANGUAGE_MODEL

CONFIG = "config.json"
DESCRIPTION_FILES = (
    CONFIG,
    "preprocessor_config.json",
    "processor_config.json",
    CHARACTERS,
    PIECES,
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
)
NEEDED_FILES = (
    (CONFIG,),
    (CHARACTERS, PIECES),
    ("preprocessor_config.json", "processor_config.json"),
)


def missing_file(names: Iterable[str], adapter: str | None = None) -> str | None:
    """The first file missing from a checkpoint's file names, or None.

    Args:
        names: Of the files in the folder or repository.
        adapter: The language of an MMS checkpoint.
    """
    present = set(names)
    for alternatives in NEEDED_FILES:
        if not present.intersection(alternatives):
            return " or ".join(alternatives)
    if not weights_among(present):
        return " or ".join(WEIGHTS)
    if adapter is not None and not adapter_among(present, adapter):
        return " or ".join(name.format(adapter) for name in ADAPTERS)
    return None


def weights_among(names: set[str]) -> list[str]:
    """The weight files in the preferred format: one file, or an index and its shards."""
    # A .bin is a pickle, read by a loader that allows only tensors; safetensors is only data.
    for name in WEIGHTS:
        if name in names:
            return [name]
        stem, suffix = name.rsplit(".", 1)
        if f"{name}.index.json" in names:
            shards = [
                each for each in names if each.startswith(f"{stem}-") and each.endswith(suffix)
            ]
            return [f"{name}.index.json", *sorted(shards)]
    return []


def adapter_among(names: set[str], adapter: str) -> list[str]:
    """The file of an adapter in the preferred format, or nothing."""
    return [name for name in (each.format(adapter) for each in ADAPTERS) if name in names][:1]


def language_model_among(names: set[str]) -> list[str]:
    """The files of a language model that can be read, or nothing."""
    inside = [name for name in sorted(names) if name.startswith(f"{LANGUAGE_MODEL}/")]
    if not any(name.endswith(SUFFIXES) for name in inside):
        return []
    return [name for name in inside if name.endswith((*SUFFIXES, f"/{ATTRIBUTES}"))]


def check_kind(config: Path) -> None:
    """
    Raises:
        ModelBroken: the config.json is not that of a CTC model.
    """
    try:
        content = json.loads(config.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelBroken(
            "The checkpoint's config.json is not valid JSON. Delete the folder and download again."
        ) from error
    family_of(content if isinstance(content, dict) else {})


def check_complete(folder: Path, what: str, adapter: str | None = None) -> None:
    """
    Raises:
        ModelBroken: the folder or one of its files is missing, or it holds another kind of model.
    """
    if not folder.is_dir():
        raise ModelBroken(f"{what} does not exist. Check the path in STT_MODELS.")
    if (folder / CONFIG).is_file():
        check_kind(folder / CONFIG)
    names = {entry.name for entry in folder.iterdir()}
    missing = missing_file(names, adapter) or _missing_shard(folder, names)
    if missing:
        raise ModelBroken(
            f"{what} has no {missing}. Expected a checkpoint in transformers' layout, as "
            "save_pretrained writes it for the model and its processor."
        )


def _missing_shard(folder: Path, names: set[str]) -> str | None:
    """The first shard that the index of the weights lists and the folder lacks."""
    index = weights_among(names)[0]
    if not index.endswith(".index.json"):
        return None
    try:
        shards = json.loads((folder / index).read_text(encoding="utf-8"))["weight_map"].values()
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"readable {index}"
    return min(set(map(str, shards)) - names, default=None)
