import copy

import pytest
import torch
from torch import nn

from stt.engines.grouped import widen_all


@pytest.mark.parametrize("n_in", [2, 8, 18, 24])
@pytest.mark.parametrize("n_out", [8, 16, 20])
@pytest.mark.parametrize("bias", [True, False])
def test_narrow_groups_are_widened_and_the_result_stays(n_in: int, n_out: int, bias: bool) -> None:
    narrow = nn.Conv1d(4 * n_in, 4 * n_out, 5, stride=2, padding=3, groups=4, bias=bias)
    model = nn.Sequential(copy.deepcopy(narrow))
    widen_all(model)
    assert all(size % 16 == 0 for size in next(model.parameters()).shape[:2])
    signal = torch.randn(3, 30, 4 * n_in).transpose(1, 2)
    torch.testing.assert_close(model(signal), narrow(signal))


@pytest.mark.parametrize(("channels", "groups"), [(64, 4), (8, 8), (8, 1)])
def test_others_stay(channels: int, groups: int) -> None:
    kept = nn.Conv1d(channels, channels, 3, groups=groups)
    model = nn.Sequential(kept)
    widen_all(model)
    assert model[0] is kept
