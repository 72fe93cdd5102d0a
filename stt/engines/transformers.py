"""The rest of the Wav2Vec2 family, computed by transformers' classes."""

from typing import Any

import torch
from torch import Tensor, nn

from stt.engines.checkpoint import Checkpoint
from stt.errors import ModelBroken


class TransformersModel(nn.Module):
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


def load_transformers_model(checkpoint: Checkpoint, dtype: torch.dtype) -> TransformersModel:
    """Load a checkpoint into transformers' ``ForCTC`` class for it.

    Raises:
        ModelBroken: the weights lack tensors.
    """
    from transformers import AutoModelForCTC

    folder = checkpoint.folder
    model, report = AutoModelForCTC.from_pretrained(
        folder,
        config=checkpoint.config,
        local_files_only=True,
        trust_remote_code=False,
        dtype=dtype,
        attn_implementation="sdpa",
        # A .bin is a pickle; transformers reads it through torch's weights-only loader.
        use_safetensors=any(
            (folder / name).is_file()
            for name in ("model.safetensors", "model.safetensors.index.json")
        ),
        weights_only=True,
        output_loading_info=True,
    )
    if report["missing_keys"]:
        raise ModelBroken(
            f"The weights lack {len(report['missing_keys'])} of the tensors that config.json "
            "requires. Check that the model was fine-tuned for CTC and saved completely."
        )
    for module in model.modules():
        if nn.utils.parametrize.is_parametrized(module, "weight"):
            # Compute the positional convolution's weight norm once, not in every forward.
            nn.utils.parametrize.remove_parametrizations(module, "weight")
    return TransformersModel(model.eval().requires_grad_(False))
