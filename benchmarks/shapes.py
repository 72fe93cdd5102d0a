"""Published architectures with random weights, which do not affect speed.

``uv run python -m benchmarks.shapes xlsr-large`` creates the checkpoint if needed and prints
its folder and the cost of a 10 s forward. The service can load it too:
``STT_MODELS=KR=./runs/shapes/xlsr-large``.
"""

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from benchmarks.setting import ROOT
from stt.engines.openvino_cache import place_of
from stt.languages import BUNDLED_FOLDER, ModelSource
from stt.types import SAMPLE_RATE, FrameGrid

SHAPES_FOLDER = ROOT / "runs" / "shapes"
MODEL_CACHE = SHAPES_FOLDER / "cache"
"""Holds the shapes that OpenVINO has converted."""
SYMBOLS_SHARE = 0.15
"""Share of frames of a random model with a symbol other than the blank, about as in speech.
Otherwise decoding would have many times the work."""
SPECIAL = ("<pad>", "<s>", "</s>", "<unk>", "|")


@dataclass(frozen=True)
class Shape:
    """A published architecture: its ``config.json`` and processor."""

    symbols: tuple[str, ...]
    takes_mask: bool
    config: Mapping[str, Any] = field(default_factory=dict)
    """Differences from the defaults of `transformers.Wav2Vec2Config`."""


SHAPES: Mapping[str, Shape] = MappingProxyType(
    {
        # kresnik/wav2vec2-large-xlsr-korean and similar.
        "xlsr-large": Shape(
            symbols=(*SPECIAL, *(chr(ord("가") + index) for index in range(1200))),
            takes_mask=True,
            config={
                "hidden_size": 1024,
                "num_hidden_layers": 24,
                "num_attention_heads": 16,
                "intermediate_size": 4096,
                "feat_extract_norm": "layer",
                "conv_bias": True,
                "do_stable_layer_norm": True,
            },
        ),
        # facebook/wav2vec2-base-960h: the defaults.
        "base-960h": Shape(symbols=(*SPECIAL, *"ETAONIHSRDLUMWCFGYPBVK'XJQZ"), takes_mask=False),
    }
)
NAMES = (*SHAPES, "ko-mini")


def find_shape(name: str, folder: Path = SHAPES_FOLDER) -> Path:
    """The checkpoint folder of a shape, created once; ``ko-mini`` is the bundled model."""
    if name not in SHAPES:
        return BUNDLED_FOLDER / name
    path = folder / name
    if not path.exists():
        run_in_process(__name__, "make_named_shape", name, path.absolute())
    return path


def make_named_shape(name: str, path: str) -> None:
    """`make_shape` with arguments from a command line."""
    make_shape(SHAPES[name], Path(path))


def make_shape(shape: Shape, path: Path) -> None:
    """Write a checkpoint with random weights, atomically."""
    import torch
    from transformers import (
        Wav2Vec2Config,
        Wav2Vec2CTCTokenizer,
        Wav2Vec2FeatureExtractor,
        Wav2Vec2ForCTC,
        Wav2Vec2Processor,
    )

    torch.manual_seed(0)
    half_made = path.with_name(path.name + ".part")
    shutil.rmtree(half_made, ignore_errors=True)
    half_made.mkdir(parents=True)
    model = Wav2Vec2ForCTC(
        Wav2Vec2Config(vocab_size=len(shape.symbols), pad_token_id=0, **shape.config)
    ).eval()
    # With the default initialisation all frames get one symbol; larger weights give varied text.
    torch.nn.init.normal_(model.lm_head.weight, std=3.0)
    with torch.inference_mode():
        logits = model(torch.randn(1, 2 * SAMPLE_RATE)).logits[0]
        margins = logits[:, 1:].amax(dim=1) - logits[:, 0]
        model.lm_head.bias[0] += torch.quantile(margins, 1 - SYMBOLS_SHARE)
    model.save_pretrained(half_made)
    vocabulary = half_made / "vocab.json"
    vocabulary.write_text(json.dumps({symbol: id_ for id_, symbol in enumerate(shape.symbols)}))
    tokenizer = Wav2Vec2CTCTokenizer(
        str(vocabulary), pad_token="<pad>", unk_token="<unk>", word_delimiter_token="|"
    )
    extractor = Wav2Vec2FeatureExtractor(return_attention_mask=shape.takes_mask, do_normalize=True)
    Wav2Vec2Processor(feature_extractor=extractor, tokenizer=tokenizer).save_pretrained(half_made)
    half_made.rename(path)


def optimized_model(folder: Path, precision: str) -> Path:
    """The folder of a checkpoint converted by OpenVINO, converted once per version.

    It lies where a service with ``STT_CACHE_DIR=MODEL_CACHE`` looks for it, as if `stt optimize`
    had written it. There is no comparison of texts, since random weights have none.
    """
    source = ModelSource.parse(str(folder.absolute()))
    place = place_of(source, folder, precision, MODEL_CACHE)
    if not place.model.is_file():
        part = place.folder.with_name(place.folder.name + ".part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        run_in_process(__name__, "optimize", folder.absolute(), part, precision)
        part.rename(place.folder)
    return place.folder


def optimize(folder: str, target: str, precision: str) -> None:
    """Convert a checkpoint, calibrated on the sample recordings."""
    from benchmarks.timed_engine import recording
    from stt.engines.device import available_cores, prepare_process

    prepare_process()
    from stt.engines.agreement import Reference
    from stt.engines.checkpoint import read_checkpoint
    from stt.engines.openvino import load_openvino_engine
    from stt.engines.openvino_export import convert

    clips = [recording(5 * SAMPLE_RATE, offset=30_011 * index) for index in range(8)]
    convert(read_checkpoint(Path(folder)), Path(target), precision, clips)
    # Compared with itself: random weights amplify rounding, and have no text to judge it by.
    converted = load_openvino_engine(
        Path(target), precision=precision, cpu_threads=available_cores()
    )
    Reference.of(converted, clips).save(Path(target))


def run_in_process(module: str, function: str, *arguments: object) -> None:
    """Call a module's function in a new process, so that its memory is not measured."""
    # Not multiprocessing: workers are daemons, which may not have children.
    code = f"import sys; from {module} import {function}; {function}(*sys.argv[1:])"
    subprocess.run([sys.executable, "-c", code, *map(str, arguments)], cwd=ROOT, check=True)


@dataclass(frozen=True)
class Flops:
    """Floating-point operations of one forward; a multiply-add counts as two.

    Matrix products only: norms, softmax and activations are negligible.
    """

    linear: float
    convolutions: float
    positional: float
    """The grouped convolution for position embeddings."""
    attention: float

    @property
    def total(self) -> float:
        return self.linear + self.convolutions + self.positional + self.attention


def count_flops(config: Mapping[str, Any], n_samples: int) -> Flops:
    """Count the operations of one forward of one waveform.

    Args:
        config: The ``config.json`` of a checkpoint.
        n_samples: Length of the waveform at 16 kHz.
    """
    kernels, strides, widths = config["conv_kernel"], config["conv_stride"], config["conv_dim"]
    convolutions = 0
    for layer, (kernel, width) in enumerate(zip(kernels, widths, strict=True)):
        grid = FrameGrid.of_convolutions(kernels[: layer + 1], strides[: layer + 1])
        before = widths[layer - 1] if layer else 1
        convolutions += 2 * grid.n_frames(n_samples) * kernel * before * width
    frames = FrameGrid.of_convolutions(kernels, strides).n_frames(n_samples)
    hidden, layers = config["hidden_size"], config["num_hidden_layers"]
    # Query, key, value and output; two feed-forward layers.
    weights = layers * (4 * hidden**2 + 2 * hidden * config["intermediate_size"])
    weights += widths[-1] * hidden + hidden * config["vocab_size"]
    group = hidden // config["num_conv_pos_embedding_groups"]
    return Flops(
        linear=2 * frames * weights,
        convolutions=convolutions,
        positional=2 * frames * hidden * group * config["num_conv_pos_embeddings"],
        # Scores between all frames, and weighted sums of values.
        attention=layers * 2 * 2 * frames**2 * hidden,
    )


def read_config(folder: Path) -> dict[str, Any]:
    """The ``config.json`` of a checkpoint."""
    config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return config


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shape", choices=NAMES)
    folder = find_shape(parser.parse_args().shape)
    flops = count_flops(read_config(folder), 10 * SAMPLE_RATE)
    print(folder)
    print(
        f"One forward of 10 s is {flops.total / 1e9:.1f} GFLOP: {flops.linear / 1e9:.1f} Linear, "
        f"{flops.convolutions / 1e9:.1f} convolutions, {flops.positional / 1e9:.1f} positional "
        f"convolution, {flops.attention / 1e9:.1f} attention."
    )


if __name__ == "__main__":
    main()
