"""Computes a feature encoder over some rows of a batch at a time.

Its signals are an order of magnitude wider than those of the transformer behind it, so all rows of
a pass at once would take gigabytes. Rows do not depend on each other.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from stt.types import SAMPLE_RATE

ENCODER_SAMPLES = 40 * SAMPLE_RATE
"""Samples of all rows that are computed at once on a GPU: the widest signal of wav2vec2's encoder
then takes 130 MB in bf16. The transformer's signals are a sixteenth of that, so it takes more."""


def by_rows(compute: Callable[[Tensor], Tensor], waveforms: Tensor, n_samples: int) -> Tensor:
    """What ``compute`` makes of ``[n, length]``, at most ``n_samples`` of them at once.

    A row that is longer is computed alone.
    """
    n_rows = max(1, n_samples // max(1, waveforms.shape[1]))
    parts = [compute(rows) for rows in torch.split(waveforms, n_rows)]
    return parts[0] if len(parts) == 1 else torch.cat(parts)


class RowsAtATime(nn.Module):
    """A feature encoder of transformers, computed over some rows at a time."""

    def __init__(self, encoder: nn.Module, n_samples: int = ENCODER_SAMPLES) -> None:
        super().__init__()
        self.encoder = encoder
        self.n_samples = n_samples

    def forward(self, waveforms: Tensor) -> Tensor:
        """``[n, n_samples]`` -> ``[n, width, n_frames]``."""
        return by_rows(self.encoder, waveforms, self.n_samples)
