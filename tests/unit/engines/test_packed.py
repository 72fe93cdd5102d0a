import weakref

import pytest
import torch
from torch import nn

from stt.engines import packed
from stt.engines.packed import Linear, PackedLinear, pack_all, packs

needs_bf16 = pytest.mark.skipif(not packs(torch.bfloat16), reason="no bf16 on this processor")


def assert_close(found: torch.Tensor, expected: torch.Tensor) -> None:
    """Equal but for the last digit of bf16, since sums are added up in another order."""
    assert found.dtype == expected.dtype
    torch.testing.assert_close(found, expected, rtol=0.008, atol=0.001)


@needs_bf16
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("n_in", "n_out"), [(1, 3), (10, 512), (48, 7), (1024, 48)])
def test_a_packed_layer_computes_what_the_plain_one_does(n_in: int, n_out: int, bias: bool) -> None:
    torch.manual_seed(0)
    linear = Linear(n_in, n_out, bias, dtype=torch.bfloat16)
    layer = PackedLinear(linear)
    with torch.inference_mode():
        for shape in ((1,), (17,), (2, 3), (1, 499), (3, 1, 5)):
            rows = torch.randn(*shape, n_in, dtype=torch.bfloat16)
            assert_close(layer(rows), linear(rows))
            assert layer(rows).is_contiguous()
        every_other = torch.randn(1, 40, n_in, dtype=torch.bfloat16)[:, ::2]
        assert_close(layer(every_other), linear(every_other))


@needs_bf16
def test_a_model_is_packed_once_and_in_place() -> None:
    inner = nn.Sequential(Linear(4, 4), nn.GELU()).bfloat16()
    model = nn.ModuleDict({"inner": inner, "outer": Linear(4, 2).bfloat16()})
    pack_all(model)
    layers = [inner[0], model["outer"]]
    assert all(isinstance(layer, PackedLinear) for layer in layers)
    assert list(model.parameters()) == []  # no second copy
    pack_all(model)
    assert [inner[0], model["outer"]] == layers


def test_others_stay() -> None:
    model = nn.Sequential(Linear(4, 4), nn.Linear(4, 4).bfloat16())
    kept = list(model)
    pack_all(model)
    assert list(model) == kept


@needs_bf16
def test_a_plain_weight_goes_before_the_next_is_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    model = nn.Sequential(*(Linear(8, 8).bfloat16() for _ in range(3)))
    weights = [weakref.ref(layer.weight) for layer in model]
    alive = []

    class Counts(PackedLinear):
        def __init__(self, linear: nn.Linear) -> None:
            alive.append(sum(weight() is not None for weight in weights))
            super().__init__(linear)

    monkeypatch.setattr(packed, "PackedLinear", Counts)
    pack_all(model)
    assert alive == [3, 2, 1]
