"""Writes weights and processor files in the layout of a published checkpoint."""

from pathlib import Path

import torch
from transformers import Wav2Vec2ForCTC

from training.recipe import Recipe

BUNDLED = Path("stt/bundled")


def export(model: Wav2Vec2ForCTC, recipe: Recipe, folder: Path) -> None:
    """Write ``config.json``, ``model.safetensors`` (float16) and the processor files."""
    plain = Wav2Vec2ForCTC(recipe.config)
    plain.load_state_dict({name: weight.cpu() for name, weight in model.state_dict().items()})
    plain.to(torch.float16).save_pretrained(folder)
    recipe.vocabulary.write_processor(folder, attention_mask=recipe.is_xlsr_like)
