"""Checkpoints that transformers' own classes compute."""

from typing import Any

import torch
from torch import Tensor, nn

from stt.engines.families.base import Checkpoint, Input
from stt.engines.grouped import widen_all
from stt.engines.rows import RowsAtATime
from stt.errors import ModelBroken

UNUSED = frozenset({"masked_spec_embed"})
"""Last parts of the names of tensors that only training needs."""


class WaveformModel(nn.Module):
    """Wraps a ``ForCTC`` class in the interface of `stt.engines.wav2vec2.Wav2Vec2`."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, waveforms: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Logits, ``[n, n_frames, n_vocab]``."""
        mask = None
        if lengths is not None:
            positions = torch.arange(waveforms.shape[1], device=waveforms.device)
            mask = (positions < lengths[:, None]).long()
        logits: Tensor = self.model(waveforms, attention_mask=mask).logits
        return logits


class LogMelModel(nn.Module):
    """Wraps a ``ForCTC`` class that takes log-mel features."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, features: Tensor, mask: Tensor | None = None) -> Tensor:
        """Logits, ``[n, n_frames, n_vocab]``, from ``[n, n_mel_frames, n_mel]``."""
        logits: Tensor = self.model(features, attention_mask=mask).logits
        return logits


def load_transformers_model(checkpoint: Checkpoint, dtype: torch.dtype) -> nn.Module:
    """Load a checkpoint into transformers' ``ForCTC`` class for it.

    Raises:
        ModelBroken: the weights lack tensors, or the tensors have other sizes.
    """
    from transformers import AutoModelForCTC

    folder = checkpoint.folder
    model, report = AutoModelForCTC.from_pretrained(
        folder,
        config=checkpoint.config,
        local_files_only=True,
        trust_remote_code=False,
        # Any other dtype would be torch's default for all threads meanwhile, also for those that
        # compute another language.
        dtype=torch.float32,
        # A .bin is a pickle; transformers reads it through torch's weights-only loader.
        use_safetensors=any(
            (folder / name).is_file()
            for name in ("model.safetensors", "model.safetensors.index.json")
        ),
        weights_only=True,
        output_loading_info=True,
        ignore_mismatched_sizes=True,  # reported below
    )
    missing = [name for name in report["missing_keys"] if name.split(".")[-1] not in UNUSED]
    if missing:
        raise ModelBroken(
            f"The weights lack {len(missing)} of the tensors that config.json requires, such as "
            f"{sorted(missing)[0]}. Check that the model was fine-tuned for CTC and saved "
            "completely."
        )
    if report["mismatched_keys"]:
        name, found, expected = sorted(report["mismatched_keys"])[0]
        raise mismatch(name, tuple(found), tuple(expected))
    for module in model.modules():
        if nn.utils.parametrize.is_parametrized(module, "weight"):
            # Compute the positional convolution's weight norm once, not in every forward.
            nn.utils.parametrize.remove_parametrizations(module, "weight")
    widen_all(model)
    model = model.eval().requires_grad_(False).to(dtype)
    if checkpoint.family.input is Input.LOG_MEL:
        return LogMelModel(model)
    model.base_model.feature_extractor = RowsAtATime(model.base_model.feature_extractor)
    return WaveformModel(model)


def mismatch(name: str, found: tuple[int, ...], expected: tuple[int, ...]) -> ModelBroken:
    """The error for a tensor of another size than config.json says."""
    return ModelBroken(
        f"The weights do not fit config.json: {name} has the size {found}, expected {expected}. "
        "Take both from the same checkpoint."
    )
