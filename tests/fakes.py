"""Fake engines, and small real checkpoints with random weights."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stt.activity.base import CHUNK_SAMPLES
from stt.activity.detectors import NothingToHear
from stt.engines.limits import CPU
from stt.engines.wants import BEST, F, Want
from stt.frames import Frames
from stt.types import Calibration, FrameGrid, LogProbs, Vocabulary, Waveform

WAV2VEC2_GRID = FrameGrid(stride_samples=320, receptive_samples=400)
LETTERS = Vocabulary(symbols=("<pad>", "|", "a", "b", "c"), blank=0)


def spell(columns: Sequence[int], n_vocab: int = 5, posterior: float = 0.9) -> Frames:
    """Frames with these columns, each with the same posterior."""
    return BEST.reduce(spell_log_probs(columns, n_vocab, posterior))


def spell_log_probs(columns: Sequence[int], n_vocab: int = 5, posterior: float = 0.9) -> LogProbs:
    """Log-probs with these columns as the best path, one per frame."""
    rest = (1 - posterior) / (n_vocab - 1)
    probs = np.full((len(columns), n_vocab), rest, np.float32)
    probs[np.arange(len(columns)), list(columns)] = posterior
    return np.log(probs)


def relative_difference(rows: LogProbs, exact: LogProbs) -> float:
    """Norm of the difference over that of the exact log-probs about their mean; 0 means equal."""
    spread = exact - exact.mean(axis=1, keepdims=True)
    return float(np.linalg.norm(rows - exact) / np.linalg.norm(spread))


class FakeEngine:
    """Transcribes every waveform as "ab"; calls ``before`` in the inference thread first."""

    vocabulary = LETTERS
    grid = WAV2VEC2_GRID
    calibration = Calibration()
    device = "cpu"
    limits = CPU
    precision = "fp32"
    backend = "fake"
    warning: str | None = None

    def __init__(self, before: Callable[[], None] = lambda: None) -> None:
        self._before = before
        self.threads: set[int] = set()
        self.lengths: list[int] = []

    def forward(self, waveforms: Sequence[Waveform], want: Want[F]) -> list[F]:
        self._before()
        self.threads.add(threading.get_ident())
        self.lengths += [len(waveform) for waveform in waveforms]
        results = []
        for waveform in waveforms:
            columns = [0] * self.grid.n_frames(len(waveform))
            columns[1:3] = [2, 3]
            results.append(
                want.reduce(spell_log_probs(columns[: self.grid.n_frames(len(waveform))]))
            )
        return results


class Loud:
    """A detector that takes every chunk for speech that has a sample above a level."""

    least_chunks = 1
    lead_chunks = 0

    def __init__(self, level: float = 0.0) -> None:
        self._level = level

    def feed(self, samples: Waveform) -> NDArray[np.bool_]:
        return np.abs(samples.reshape(-1, CHUNK_SAMPLES)).max(axis=1) <= self._level

    def listen(self) -> NothingToHear:
        return NothingToHear()


class Mumbles(FakeEngine):
    """Says "ac", which might also be "ab"."""

    def forward(self, waveforms: Sequence[Waveform], want: Want[F]) -> list[F]:
        results = []
        for waveform in waveforms:
            probs = np.full((self.grid.n_frames(len(waveform)), 5), 1e-6, np.float32)
            probs[:, 0] = 1
            probs[2:3], probs[3:4] = [0.01, 0.01, 0.96, 0.01, 0.01], [0.01, 0.01, 0.01, 0.4, 0.57]
            results.append(want.reduce(np.log(probs / probs.sum(axis=1, keepdims=True))))
        return results


PREFERS_AB = """\\data\\
ngram 1=6

\\1-grams:
-3 <unk>
-99 <s> 0
-1 </s>
-0.3 ab 0
-4 ac 0
-1 b 0

\\end\\
"""
"""A language model in which "ab" is likely and "ac" is not."""


SOUNDS = {" ": 0.1, "|": 0.2, "a": 0.3, "b": 0.4, "c": 0.5}


def say(text: str) -> Waveform:
    """One frame per character for `EchoEngine`; a space is a blank, "0" is silence."""
    levels = [SOUNDS.get(char, 0.0) for char in text]
    return np.repeat(np.array(levels, np.float32), WAV2VEC2_GRID.stride_samples)


class EchoEngine(FakeEngine):
    """Transcribes each frame by its first sample alone."""

    def forward(self, waveforms: Sequence[Waveform], want: Want[F]) -> list[F]:
        super().forward(waveforms, want)
        results = []
        for waveform in waveforms:
            starts = waveform[:: self.grid.stride_samples][: self.grid.n_frames(len(waveform))]
            columns = [max(0, round(10 * float(level)) - 1) for level in starts]
            results.append(want.reduce(spell_log_probs(columns)))
        return results


class SpeaksKorean(EchoEngine):
    """Hears 세 for "a", 시 for "b", 봐 for "c"."""

    vocabulary = Vocabulary(symbols=("<pad>", "|", "세", "시", "봐"), blank=0)


class SpeaksEnglish(EchoEngine):
    """Hears TEN for "a", PERCENT for "b", OFF for "c"."""

    vocabulary = Vocabulary(symbols=("<pad>", "|", "TEN", "PERCENT", "OFF"), blank=0)


class LeavesOutSpaces(EchoEngine):
    """Hears 내일 for "a", 세시에 for "b", 만나요 for "c"."""

    vocabulary = Vocabulary(symbols=("<pad>", "|", "내일", "세시에", "만나요"), blank=0)


def save_random_checkpoint(
    folder: Path, *, norm: str, seed: int = 0, bin_file: bool = False
) -> Path:
    """Save a tiny Wav2Vec2ForCTC with random weights in transformers' layout.

    ``norm`` is "layer" (as in XLSR, with attention mask) or "group" (as in base-960h, without).
    """
    import json

    import torch
    from transformers import (
        Wav2Vec2Config,
        Wav2Vec2CTCTokenizer,
        Wav2Vec2FeatureExtractor,
        Wav2Vec2ForCTC,
        Wav2Vec2Processor,
    )

    folder.mkdir(parents=True, exist_ok=True)
    tokens = ["<pad>", "<s>", "</s>", "<unk>", "|", *"ABCDEFGHIJ"]
    vocab = folder / "vocab.json"
    vocab.write_text(json.dumps({token: index for index, token in enumerate(tokens)}))
    torch.manual_seed(seed)
    layer = norm == "layer"
    model = Wav2Vec2ForCTC(
        Wav2Vec2Config(
            vocab_size=len(tokens), hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
            intermediate_size=64, conv_dim=(16,) * 7, feat_extract_norm=norm, conv_bias=layer,
            do_stable_layer_norm=layer, num_conv_pos_embeddings=16,
            num_conv_pos_embedding_groups=4, pad_token_id=0,
        )
    )  # fmt: skip
    # A head with default weights emits one symbol for everything; a wide one varies.
    torch.nn.init.normal_(model.lm_head.weight, std=3.0)
    model.save_pretrained(folder)
    tokenizer = Wav2Vec2CTCTokenizer(
        str(vocab), pad_token="<pad>", unk_token="<unk>", word_delimiter_token="|"
    )
    extractor = Wav2Vec2FeatureExtractor(return_attention_mask=layer, do_normalize=True)
    Wav2Vec2Processor(feature_extractor=extractor, tokenizer=tokenizer).save_pretrained(folder)
    if bin_file:
        torch.save(model.state_dict(), folder / "pytorch_model.bin")
        (folder / "model.safetensors").unlink()
    return folder
