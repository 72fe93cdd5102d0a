"""Linear layers with weights in the layout of oneDNN's products.

`torch.nn.Linear` keeps its weight as it was read, and in bf16 oneDNN lays it out for the
processor's tiles again in each forward. That takes the more of the time the shorter the recording:
docs/benchmarks.md. Here it is done once, with the operators that torch's compiler uses for weights
that never change (`torch._inductor.fx_passes.mkldnn_fusion`).
"""

from typing import Any

import torch
from torch import Tensor, nn


def packs(dtype: torch.dtype) -> bool:
    """Whether this processor has products of that type that gain by it."""
    if dtype != torch.bfloat16 or not torch._C._has_mkldnn:
        return False
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def pack_all(model: nn.Module) -> None:
    """Lay out the weights of a model's `Linear` layers, one at a time, in place."""
    # Names only: a list of the layers would keep all their weights until the end.
    for name in [name for name, layer in model.named_modules() if isinstance(layer, Linear)]:
        layer: Any = model.get_submodule(name)
        if packs(layer.weight.dtype):
            model.set_submodule(name, PackedLinear(layer))


class Linear(nn.Linear):
    """A layer that may be packed: nobody reads its weight, as transformers' WavLM does."""


class PackedLinear(nn.Module):
    """Takes over a linear layer on the CPU."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        n_rows = None  # oneDNN's choice; any number of rows may come
        self.weight = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), n_rows)
        self.bias = None if linear.bias is None else linear.bias.detach()

    def forward(self, rows: Tensor) -> Tensor:
        """``[..., in_features]`` -> ``[..., out_features]``."""
        output: Tensor = torch.ops.mkldnn._linear_pointwise(
            rows, self.weight, self.bias, "none", [], ""
        )
        return output
