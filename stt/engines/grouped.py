"""Grouped convolutions whose groups are as wide as oneDNN needs them.

oneDNN 3.13 on AMX is wrong for groups that are not a multiple of 16 channels: in bf16 below 16
channels, and in int8 at some lengths, where it mixes up the groups' compensation
(docs/library-faults.md). So such groups are zero-padded. Published checkpoints have groups of 48
or 64 channels, and depthwise convolutions, which have other kernels; both stay as they are.
"""

import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

MULTIPLE = 16


def widened(convolution: nn.Conv1d) -> nn.Module:
    """The same convolution over ``[n, channels, time]``, with wider groups inside if need be."""
    n_in = convolution.in_channels // convolution.groups
    is_depthwise = n_in == 1
    if convolution.groups == 1 or is_depthwise or n_in % MULTIPLE == 0:
        return convolution
    return _Widened(convolution)


def widen_all(model: nn.Module) -> None:
    """Put `widened` convolutions in the place of those of a model."""
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.Conv1d):
                setattr(parent, name, widened(child))


class _Widened(nn.Module):
    """Takes over a convolution and adds channels of zeros to its groups."""

    def __init__(self, convolution: nn.Conv1d) -> None:
        super().__init__()
        self._convolution = convolution
        groups = convolution.groups
        n_in, self._n_out = convolution.in_channels // groups, convolution.out_channels // groups
        self._more_in, more_out = -n_in % MULTIPLE, -self._n_out % MULTIPLE
        weight = convolution.weight.view(groups, self._n_out, n_in, -1)
        convolution.weight = nn.Parameter(
            F.pad(weight, (0, 0, 0, self._more_in, 0, more_out)).flatten(0, 1), requires_grad=False
        )
        if convolution.bias is not None:
            bias = F.pad(convolution.bias.view(groups, self._n_out), (0, more_out)).flatten()
            convolution.bias = nn.Parameter(bias, requires_grad=False)

    def forward(self, signal: Tensor) -> Tensor:
        """``[n, n_in, time]`` -> ``[n, n_out, time]``, as from the narrow one."""
        n, _, time = signal.shape
        groups = self._convolution.groups
        wide = F.pad(signal.reshape(n, groups, -1, time), (0, 0, 0, self._more_in))
        output: Tensor = self._convolution(wide.flatten(1, 2))
        by_group = output.view(n, groups, -1, output.shape[-1])
        return by_group[:, :, : self._n_out].flatten(1, 2)
