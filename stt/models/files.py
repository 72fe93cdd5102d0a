"""The files of a checkpoint, and checks that none is missing."""

from collections.abc import Iterable
from pathlib import Path

from stt.errors import ModelBroken

DESCRIPTION_FILES = (
    "config.json",
    "preprocessor_config.json",
    "processor_config.json",
    "vocab.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
)
# Preferred first: safetensors is only data. A .bin is a pickle, read by a loader that allows only
# tensors.
WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")
NEEDED_FILES = (
    ("config.json",),
    ("vocab.json",),
    ("preprocessor_config.json", "processor_config.json"),
)


def missing_file(names: Iterable[str]) -> str | None:
    """The first file missing from a checkpoint's file names, or None."""
    present = set(names)
    for alternatives in NEEDED_FILES:
        if not present.intersection(alternatives):
            return alternatives[0]
    if not weights_among(present):
        return " or ".join(WEIGHT_FILES)
    return None


def weights_among(names: set[str]) -> list[str]:
    """The weight files in the preferred format: one file, or an index and its shards."""
    for name in WEIGHT_FILES:
        if name in names:
            return [name]
        stem, suffix = name.rsplit(".", 1)
        if f"{name}.index.json" in names:
            shards = [
                each for each in names if each.startswith(f"{stem}-") and each.endswith(suffix)
            ]
            return [f"{name}.index.json", *sorted(shards)]
    return []


def check_complete(folder: Path, what: str) -> None:
    """
    Raises:
        ModelBroken: the folder or one of its files is missing.
    """
    if not folder.is_dir():
        raise ModelBroken(f"{what} does not exist. Check the path in STT_MODELS.")
    missing = missing_file(entry.name for entry in folder.iterdir())
    if missing:
        raise ModelBroken(
            f"{what} has no {missing}. Expected a checkpoint in transformers' layout, as "
            "save_pretrained writes it for the model and its processor."
        )
