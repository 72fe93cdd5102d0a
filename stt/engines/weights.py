"""Reads a checkpoint's tensors one at a time."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stt.engines.families.base import Checkpoint
from stt.errors import ModelBroken

_MAPPED_BYTES = 64_000_000
"""Bytes read before a file is mapped again, which frees the pages that were read."""
WEIGHTS = ("model.safetensors", "pytorch_model.bin")
ADAPTERS = ("adapter.{}.safetensors", "adapter.{}.bin")
"""The files of an MMS language; preferred first."""


class Weights:
    """Reads tensors of a folder's ``model.safetensors``, its shards, or ``pytorch_model.bin``.

    Holds one tensor at a time. A .bin (a pickle) is mapped and read by torch's weights-only loader,
    which creates only tensors.
    """

    def __init__(self, folder: Path, dtype: Any, names: Sequence[str] = WEIGHTS) -> None:
        """``names``: files to choose from, preferred first."""
        self._dtype = dtype
        self._names = _file_of_each(folder, names)
        self._open: tuple[Path, Any] | None = None
        self._read_bytes = 0

    def __call__(self, name: str, *, exact: bool = False) -> Any:
        """See `stt.engines.wav2vec2.ReadTensor`."""
        import torch

        tensor = self._tensor(self._names[name], name)
        wanted = torch.float32 if exact else self._dtype
        self._read_bytes += tensor.nbytes
        # Always a copy, since the file is closed later.
        return tensor.to(wanted, copy=True)

    def _tensor(self, file: Path, name: str) -> Any:
        if self._open is None or self._open[0] != file or self._read_bytes > _MAPPED_BYTES:
            self._open, self._read_bytes = None, 0
            self._open = file, _open(file)
        opened = self._open[1]
        return opened[name] if isinstance(opened, dict) else opened.get_tensor(name)


def adapter_weights(checkpoint: Checkpoint, dtype: Any) -> Weights:
    """The tensors of the checkpoint's language: adapters and output.

    Raises:
        ModelBroken: their file is missing.
    """
    names = [name.format(checkpoint.language) for name in ADAPTERS]
    if not any((checkpoint.folder / name).is_file() for name in names):
        raise ModelBroken(
            f"The checkpoint lacks {' or '.join(names)}, the adapter of {checkpoint.language!r}. "
            "Download the model again, or check the part after # in STT_MODELS."
        )
    return Weights(checkpoint.folder, dtype, names)


def _open(file: Path) -> Any:
    if file.suffix == ".safetensors":
        from safetensors import safe_open

        return safe_open(file, framework="pt")
    import torch

    try:
        return torch.load(file, map_location="cpu", weights_only=True, mmap=True)
    except RuntimeError as error:
        if "mmap" not in str(error):
            raise
        # Files from before torch 1.6 are no zip archives and cannot be mapped.
        return torch.load(file, map_location="cpu", weights_only=True)


def _file_of_each(folder: Path, names: Sequence[str]) -> dict[str, Path]:
    """Each tensor's file, by the tensor's name."""
    for name in names:
        index = folder / f"{name}.index.json"
        if (folder / name).is_file():
            opened = _open(folder / name)
            return dict.fromkeys(opened.keys(), folder / name)
        if index.is_file():
            shards = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
            return {tensor: folder / shard for tensor, shard in shards.items()}
    raise FileNotFoundError("no weights in the folder")
