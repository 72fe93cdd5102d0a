import numpy as np

from stt.activity.base import CHUNK_SAMPLES
from stt.activity.silero import Silero, SileroWeights, find_weights
from stt.types import Waveform
from tests.unit.activity.clips import clip

NAMES = {
    "stft_conv.weight": "stft.forward_basis_buffer",
    "final_conv.weight": "decoder.decoder.2.weight",
    "final_conv.bias": "decoder.decoder.2.bias",
    **{
        f"conv{layer + 1}.{kind}": f"encoder.{layer}.reparam_conv.{kind}"
        for layer in range(4)
        for kind in ("weight", "bias")
    },
    **{
        f"lstm_cell.{kind}": f"decoder.rnn.{kind}"
        for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    },
}
"""Tensors of the package's safetensors file by those of its TorchScript model."""


def test_probabilities_equal_the_packages_own_model() -> None:
    import torch

    waveform = clip("ko-library.m4a")
    model = torch.jit.load(str(find_weights().with_name("silero_vad.jit")))
    tensors = model.state_dict()
    weights = SileroWeights.of(
        {name: tensors[f"_model.{theirs}"].numpy() for name, theirs in NAMES.items()}
    )
    with torch.inference_mode():
        chunks = torch.from_numpy(waveform).split(CHUNK_SAMPLES)
        expected = [float(model(chunk, 16_000)) for chunk in chunks]
    assert max(expected) > 0.9
    np.testing.assert_allclose(Silero(weights).feed(waveform), expected, atol=1e-4)


def test_probabilities_do_not_depend_on_blocks() -> None:
    waveform, weights = clip("ko-library.m4a"), SileroWeights.load(find_weights())
    at_once, in_blocks = Silero(weights), Silero(weights)
    pieces: list[Waveform] = np.split(waveform, [512, 512, 2048, 20_480])
    blocks = [in_blocks.feed(piece) for piece in pieces]
    np.testing.assert_allclose(np.concatenate(blocks), at_once.feed(waveform), atol=1e-5)
