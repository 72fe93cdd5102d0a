"""Which files a checkpoint consists of, and whether a folder has them all."""

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
# Safetensors first: it is only data. A .bin is a pickle, and its loader allows nothing but tensors.
WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")
NEEDED_FILES = (
    ("config.json",),
    ("vocab.json",),
    ("preprocessor_config.json", "processor_config.json"),
)


def missing_file(names: Iterable[str]) -> str | None:
    """What is missing among the file names of a checkpoint, in words; None if it is whole."""
    there = set(names)
    for alternatives in NEEDED_FILES:
        if not there.intersection(alternatives):
            return alternatives[0]
    if not weights_among(there):
        return " or ".join(WEIGHT_FILES)
    return None


def weights_among(names: set[str]) -> list[str]:
    """The weight files to take, in the preferred format: one file, or an index and its shards."""
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


def check_whole(folder: Path, what: str) -> None:
    if not folder.is_dir():
        raise ModelBroken(f"{what} does not exist. Check the path in STT_MODELS.")
    missing = missing_file(entry.name for entry in folder.iterdir())
    if missing:
        raise ModelBroken(
            f"{what} has no {missing}. Expected a checkpoint in transformers' layout, as "
            "save_pretrained writes it for the model and its processor."
        )
