import json
from pathlib import Path

import pytest

from benchmarks.shapes import SHAPES, Shape, count_flops, find_shape, make_shape, read_config
from stt.engines.wants import BEST
from stt.languages import BUNDLED_FOLDER
from stt.types import SAMPLE_RATE

XLSR_LARGE = {  # as published, by hand
    "conv_dim": [512] * 7,
    "conv_kernel": [10, 3, 3, 3, 3, 2, 2],
    "conv_stride": [5, 2, 2, 2, 2, 2, 2],
    "hidden_size": 1024,
    "num_hidden_layers": 24,
    "intermediate_size": 4096,
    "num_conv_pos_embeddings": 128,
    "num_conv_pos_embedding_groups": 16,
    "vocab_size": 1205,
}


def test_ten_seconds_of_xlsr_large_are_385_gflop() -> None:
    flops = count_flops(XLSR_LARGE, 10 * SAMPLE_RATE)
    assert flops.total == pytest.approx(385.1e9, rel=1e-3)
    assert flops.linear == pytest.approx(303e9, rel=0.005)
    assert flops.convolutions == pytest.approx(49e9, rel=0.01)
    assert flops.positional == pytest.approx(8e9, rel=0.06)
    assert flops.attention == pytest.approx(24.5e9, rel=0.005)


def test_counted_as_torch_counts_them() -> None:
    import torch
    from torch.nn.utils.parametrize import remove_parametrizations
    from torch.utils.flop_counter import FlopCounterMode
    from transformers import Wav2Vec2ForCTC

    folder = BUNDLED_FOLDER / "ko-mini"
    model = Wav2Vec2ForCTC.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    remove_parametrizations(model.wav2vec2.encoder.pos_conv_embed.conv, "weight")
    n_samples = 3 * SAMPLE_RATE
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, n_samples))
    ours = count_flops(read_config(folder), n_samples)
    assert ours.total == pytest.approx(counter.get_total_flops(), rel=0.005)


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_a_shape_is_what_was_published(name: str) -> None:
    from transformers import Wav2Vec2Config

    shape = SHAPES[name]
    config = Wav2Vec2Config(vocab_size=len(shape.symbols), **shape.config)
    published = {
        "xlsr-large": ("layer", True, True, 1024, 24, 16, 4096, 1205, True),
        "base-960h": ("group", False, False, 768, 12, 12, 3072, 32, False),
    }[name]
    assert published == (
        config.feat_extract_norm,
        config.conv_bias,
        config.do_stable_layer_norm,
        config.hidden_size,
        config.num_hidden_layers,
        config.num_attention_heads,
        config.intermediate_size,
        config.vocab_size,
        shape.takes_mask,
    )
    assert len(set(shape.symbols)) == len(shape.symbols)
    assert list(config.conv_dim) == XLSR_LARGE["conv_dim"]
    assert list(config.conv_kernel) == XLSR_LARGE["conv_kernel"]
    assert list(config.conv_stride) == XLSR_LARGE["conv_stride"]


def test_a_shape_that_is_made_can_be_served(tmp_path: Path) -> None:
    from stt.engines.torch import load_torch_engine
    from tests.audio_files import tones

    small = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    small |= {"intermediate_size": 64, "conv_dim": [8] * 7, "num_conv_pos_embeddings": 16}
    small |= {"num_conv_pos_embedding_groups": 4}
    shape = Shape(symbols=SHAPES["xlsr-large"].symbols[:100], takes_mask=False, config=small)
    folder = tmp_path / "small"
    make_shape(shape, folder)
    assert list(tmp_path.iterdir()) == [folder]
    engine = load_torch_engine(folder, device="cpu", precision="fp32")
    assert engine.vocabulary.symbols == shape.symbols
    [frames] = engine.forward([tones(2, 16000)[:, 0]], BEST)
    blanks = (frames.columns == engine.vocabulary.blank).mean()
    assert 0.3 < blanks < 1  # neither a symbol in every frame nor none at all


def test_a_shape_is_made_once(tmp_path: Path) -> None:
    (tmp_path / "xlsr-large").mkdir()
    (tmp_path / "xlsr-large" / "config.json").write_text(json.dumps(XLSR_LARGE))
    folder = find_shape("xlsr-large", tmp_path)
    assert read_config(folder) == XLSR_LARGE
    assert find_shape("ko-mini") == BUNDLED_FOLDER / "ko-mini"
