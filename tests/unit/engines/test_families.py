"""Every family against transformers: log-probs and text, alone, batched and windowed."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoFeatureExtractor, AutoModelForCTC, AutoTokenizer

from stt.decoding.greedy import GreedyDecoder
from stt.engines.checkpoint import read_checkpoint
from stt.engines.families.base import Input
from stt.engines.families.table import FAMILIES
from stt.engines.torch import TorchEngine, load_torch_engine
from stt.engines.wants import BEST
from stt.errors import ConfigurationError
from stt.recognition.chunking import WindowCutter
from stt.types import LogProbs, Waveform, join_words
from tests.audio_files import tones
from tests.checkpoints import SHAPES, save_checkpoint

WAVEFORMS = [
    tones(seconds, 16000, seed=seed)[:, 0]
    for seed, seconds in enumerate([1.0, 0.3, 2.51, 1.0, 4.0, 0.31])
]
"""Two of one length; odd and even numbers of mel frames."""


LARGEST_SHIFT = 0.01
"""Mean difference of probabilities, bf16 and fp32. Measured: up to 0.0035; 0.016 and more where
AMX computed a grouped convolution wrongly (docs/library-faults.md)."""


SPECIAL = re.compile(r"<(pad|s|/s|unk)>")
"""What transformers prints and the service does not."""


class Reference:
    """transformers, as its documentation says to call it: one recording at a time."""

    def __init__(self, folder: Path) -> None:
        self._extractor = AutoFeatureExtractor.from_pretrained(folder)
        self._tokenizer = AutoTokenizer.from_pretrained(folder)
        self._model = AutoModelForCTC.from_pretrained(folder).eval()

    def log_probs(self, waveform: Waveform) -> LogProbs:
        inputs = self._extractor(waveform, sampling_rate=16000, return_tensors="pt")
        with torch.inference_mode():
            logits = self._model(**inputs).logits
        log_probs: LogProbs = torch.log_softmax(logits, -1)[0].numpy()
        return log_probs

    def text(self, log_probs: LogProbs) -> str:
        text = self._tokenizer.decode(log_probs.argmax(axis=1))
        return " ".join(SPECIAL.sub("", text).split())


@pytest.fixture(scope="module", params=SHAPES)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_checkpoint(tmp_path_factory.mktemp("model"), request.param)


@pytest.fixture(scope="module")
def reference(folder: Path) -> Reference:
    return Reference(folder)


@pytest.fixture(scope="module")
def engine(folder: Path) -> TorchEngine:
    """Batches as on a GPU."""
    return load_torch_engine(folder, device="cpu", precision="fp32", pads=True)


def assert_equal(ours: LogProbs, theirs: LogProbs, engine: TorchEngine) -> None:
    # Parakeet computes a frame more, which its mask then drops.
    assert len(ours) in (len(theirs), len(theirs) - int(is_parakeet(engine)))
    np.testing.assert_allclose(ours, theirs[: len(ours)], atol=1e-4, rtol=1e-5)


def is_parakeet(engine: TorchEngine) -> bool:
    return engine._checkpoint.family.architecture == "ParakeetForCTC"


def test_every_family_has_a_checkpoint_here() -> None:
    stems = {stem for stem, _ in SHAPES.values()}
    assert {family.architecture for family in FAMILIES} == {f"{stem}ForCTC" for stem in stems}


def test_a_recording_alone(engine: TorchEngine, reference: Reference) -> None:
    for waveform in WAVEFORMS:
        [ours] = engine.log_probs([waveform])
        assert len(ours) == engine.grid.n_frames(len(waveform))
        assert_equal(ours, reference.log_probs(waveform), engine)


def test_the_text(engine: TorchEngine, reference: Reference) -> None:
    for waveform in WAVEFORMS:
        decoder = GreedyDecoder(engine.vocabulary, engine.grid)
        words = decoder.feed(engine.forward([waveform], BEST)[0]) + decoder.finish()
        frames = reference.log_probs(waveform)[: engine.grid.n_frames(len(waveform))]
        assert join_words(words) == reference.text(frames)
        assert len(waveform) < 16000 or len(set(frames.argmax(axis=1))) > 1


def test_neighbours_in_a_batch_change_nothing(engine: TorchEngine, reference: Reference) -> None:
    for waveform, ours in zip(WAVEFORMS, engine.log_probs(WAVEFORMS), strict=True):
        assert_equal(ours, reference.log_probs(waveform), engine)


def test_windows_have_the_frames_of_the_whole(engine: TorchEngine, reference: Reference) -> None:
    cutter = WindowCutter(engine.grid, window_seconds=2.0, context_seconds=0.32)
    recording = np.concatenate(WAVEFORMS)
    windows = [*cutter.feed(recording), *cutter.finish()]
    assert len(windows) > 4
    batch = engine.log_probs([window.waveform for window in windows])
    next_frame = 0
    for window, ours in zip(windows, batch, strict=True):
        assert window.first_frame == next_frame
        next_frame += len(ours[window.core])
        assert_equal(ours, reference.log_probs(window.waveform), engine)
    assert next_frame == engine.grid.n_frames(len(recording))


def test_lengths_down_to_one_frame(engine: TorchEngine) -> None:
    grid = engine.grid
    for n_frames in (1, 2, 3):
        for n_samples in (grid.n_samples(n_frames), grid.n_samples(n_frames + 1) - 1):
            [frames] = engine.forward([WAVEFORMS[0][:n_samples]], BEST)
            assert len(frames) == n_frames
            assert np.isfinite(frames.log_probs).all()


def test_bf16_is_close(folder: Path, engine: TorchEngine) -> None:
    coarse = load_torch_engine(folder, device="cpu", precision="bf16")
    [rough], [exact] = coarse.log_probs(WAVEFORMS[4:5]), engine.log_probs(WAVEFORMS[4:5])
    assert 0 < np.abs(np.exp(rough) - np.exp(exact)).mean() < LARGEST_SHIFT


def test_only_harmless_padding_is_used(folder: Path, reference: Any) -> None:
    """A family that is said to be unsafe is so, and the other way round."""
    checkpoint = read_checkpoint(folder)
    extractor, model = reference._extractor, reference._model
    batch = [WAVEFORMS[0], WAVEFORMS[4]]
    inputs = extractor(batch, sampling_rate=16000, padding=True, return_tensors="pt")
    with torch.inference_mode():
        rows = torch.log_softmax(model(**inputs).logits, -1)[0].numpy()
    alone = reference.log_probs(WAVEFORMS[0])
    n_frames = checkpoint.grid.n_frames(len(WAVEFORMS[0]))
    shift = float(np.abs(rows[:n_frames] - alone[:n_frames]).max())
    assert (shift < 1e-3) == checkpoint.family.is_padding_safe(checkpoint.config), shift


def test_what_the_engine_is_given(folder: Path) -> None:
    checkpoint = read_checkpoint(folder)
    assert checkpoint.normalises == (checkpoint.family.input is Input.WAVEFORM)
    assert checkpoint.vocabulary.blank == 0


def test_optimised_by_openvino(folder: Path, engine: TorchEngine, tmp_path: Path) -> None:
    pytest.importorskip("openvino")
    from stt.engines.openvino import load_openvino_engine
    from stt.engines.openvino_export import convert

    checkpoint = read_checkpoint(folder)
    if not checkpoint.family.can_optimize(checkpoint.config):
        with pytest.raises(ConfigurationError, match="cannot be optimised; torch serves it"):
            convert(checkpoint, tmp_path, "bf16")
        return
    convert(checkpoint, tmp_path, "bf16")
    optimized = load_openvino_engine(tmp_path, precision="bf16", cpu_threads=1)
    shortest = WAVEFORMS[0][: engine.grid.n_samples(1)]
    for waveform in (shortest, *WAVEFORMS[2:5]):
        [rough], [exact] = optimized.log_probs([waveform]), engine.log_probs([waveform])
        assert np.abs(np.exp(rough) - np.exp(exact)).mean() < LARGEST_SHIFT
