"""What a GPU does beside computing, with the CPU in its place and devices that fail on purpose."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from stt.engines.accelerator import Accelerator, Host
from stt.engines.arithmetic import Arithmetic, Fallback
from stt.engines.checkpoint import read_checkpoint
from stt.engines.faults import DeviceLost
from stt.engines.graphs import Graphs
from stt.engines.rows import RowsAtATime
from stt.engines.torch import TorchEngine, load_model, load_torch_engine
from stt.engines.wants import BEST
from stt.types import SAMPLE_RATE, Calibration, Waveform
from tests.audio_files import tones
from tests.checkpoints import save_checkpoint
from tests.fakes import save_random_checkpoint


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_random_checkpoint(tmp_path_factory.mktemp("model"), norm="layer")


def speech(*seconds: float) -> list[Waveform]:
    return [tones(each, 16000, seed=seed)[:, 0] for seed, each in enumerate(seconds)]


def engine_of(
    folder: Path,
    model: Any = None,
    *,
    precision: str = "fp32",
    accelerator: Accelerator | None = None,
    load_exact: Any = None,
    pass_seconds: float = 160.0,
) -> TorchEngine:
    """Batches as on a GPU."""
    checkpoint = read_checkpoint(folder)
    arithmetic = Arithmetic(model or load_model(checkpoint, "fp32"), precision)
    return TorchEngine(
        checkpoint, Fallback(arithmetic, load_exact), device="cpu", calibration=Calibration(),
        pads=True, accelerator=accelerator, pass_seconds=pass_seconds,
    )  # fmt: skip


class Hungry(nn.Module):
    """Takes so many seconds at a time; more only fails, as an allocation does."""

    def __init__(self, model: Any, seconds: float) -> None:
        super().__init__()
        self.model = model
        self.most = seconds * SAMPLE_RATE
        self.shapes: list[tuple[int, float]] = []
        """Rows and seconds of each pass."""

    def forward(self, waveforms: Tensor, lengths: Tensor | None = None) -> Any:
        self.shapes.append((waveforms.shape[0], waveforms.shape[1] / SAMPLE_RATE))
        if waveforms.numel() > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")
        return self.model(waveforms, lengths)

    @property
    def n_failed(self) -> int:
        """Passes that did not fit."""
        return sum(rows * seconds * SAMPLE_RATE > self.most for rows, seconds in self.shapes)


class Counts(Host):
    """Counts how often memory is freed."""

    n_freed = 0

    def free_memory(self) -> None:
        self.n_freed += 1


def test_passes_shrink_until_they_fit_and_stay_so(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model, device = Hungry(load_model(read_checkpoint(folder), "fp32"), 5), Counts()
    engine = engine_of(folder, model, accelerator=device)
    clips = speech(*[2.0] * 16)
    expected = engine_of(folder).forward(clips, BEST)
    for n_failed in (3, 0):  # 16, 8 and 4 rows
        del model.shapes[:]
        for frames, exact in zip(engine.forward(clips, BEST), expected, strict=True):
            np.testing.assert_array_equal(frames.columns, exact.columns)
        assert model.n_failed == n_failed
    assert model.shapes == [(2, 2.0)] * 8
    assert device.n_freed == 3
    assert caplog.messages[-1] == (
        "out of memory in a pass of 4, from now on passes have 4 s of audio"
    )


def test_a_waveform_that_does_not_fit_beside_others_is_tried_again_alone(folder: Path) -> None:
    class InFlight(Hungry):
        """Has memory for one pass until it is freed."""

        n_allocated = 0

        def forward(self, waveforms: Tensor, lengths: Tensor | None = None) -> Any:
            self.n_allocated += 1
            if self.n_allocated > 1:
                raise torch.OutOfMemoryError("CUDA out of memory.")
            return super().forward(waveforms, lengths)

    class Frees(Host):
        def free_memory(self) -> None:
            model.n_allocated = 0

    model = InFlight(load_model(read_checkpoint(folder), "fp32"), 100)
    engine = engine_of(folder, model, accelerator=Frees(), pass_seconds=1)
    clips = speech(2.0, 1.0, 3.0)
    assert [len(frames) for frames in engine.forward(clips, BEST)] == [99, 49, 149]
    assert model.shapes == [(1, 3.0), (1, 2.0), (1, 1.0)]
    assert engine.passes.fitting.most == 1 * SAMPLE_RATE


def test_a_waveform_that_does_not_even_fit_alone_is_out_of_memory(folder: Path) -> None:
    model = Hungry(load_model(read_checkpoint(folder), "fp32"), 1)
    engine = engine_of(folder, model, pass_seconds=8)
    with pytest.raises(torch.OutOfMemoryError):
        engine.forward(speech(2.0, 2.0, 2.0, 2.0), BEST)
    assert model.shapes == [(4, 2.0), (2, 2.0), (1, 2.0)]


class Broken(nn.Module):
    def forward(self, waveforms: Tensor, lengths: Tensor | None = None) -> Any:
        raise torch.AcceleratorError("CUDA error: no words that anybody knows\nadvice")


class Lost(Host):
    def synchronize(self) -> None:
        raise torch.AcceleratorError("CUDA error: any other words")


def test_an_error_that_costs_the_device_is_told_from_one_that_does_not(folder: Path) -> None:
    with pytest.raises(DeviceLost, match=r"^CUDA error: no words that anybody knows$"):
        engine_of(folder, Broken(), accelerator=Lost()).forward(speech(1.0), BEST)
    with pytest.raises(torch.AcceleratorError):
        engine_of(folder, Broken(), accelerator=Host()).forward(speech(1.0), BEST)


class Overflows(nn.Module):
    """Computes in fp32 what it gets in fp16, and fails above some samples as fp16 does."""

    def __init__(self, model: Any, value: float = float("inf")) -> None:
        super().__init__()
        self.model, self.value = model, value
        self.n_passes = 0

    def forward(self, waveforms: Tensor, lengths: Tensor | None = None) -> Any:
        self.n_passes += 1
        assert waveforms.dtype is torch.float16
        logits = self.model(waveforms.float(), lengths)
        counts = torch.full((len(logits),), waveforms.shape[1]) if lengths is None else lengths
        logits[counts >= 2 * SAMPLE_RATE] = self.value
        return logits


def test_fp16_that_overflows_becomes_fp32_once_and_loudly(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    exact, loads = load_model(read_checkpoint(folder), "fp32"), []

    def load_exact() -> Any:
        loads.append(1)
        return exact

    coarse = Overflows(exact)
    engine = engine_of(folder, coarse, precision="fp16", load_exact=load_exact)
    short, long = speech(1.0, 1.0), speech(2.0, 1.0)
    engine.forward(short, BEST)
    assert (engine.precision, engine.warning, loads) == ("fp16", None, [])
    n_passes = coarse.n_passes
    for _ in range(2):
        results = engine.forward(long, BEST)
        expected = engine_of(folder).forward(long, BEST)
        for frames, right in zip(results, expected, strict=True):
            np.testing.assert_array_equal(frames.columns, right.columns)
    assert (engine.precision, loads, coarse.n_passes) == ("fp32", [1], n_passes + 1)
    assert engine.warning is not None
    assert "overflows in fp16" in engine.warning
    assert caplog.messages == [engine.warning]


def test_two_batches_that_overflow_together_load_fp32_once(folder: Path) -> None:
    exact, loads, both = load_model(read_checkpoint(folder), "fp32"), [], threading.Barrier(2)

    class Waits(Fallback):
        def after_overflow(self) -> Arithmetic | None:
            both.wait(20)
            return super().after_overflow()

    def load_exact() -> Any:
        loads.append(1)
        return exact

    engine = engine_of(folder)
    engine._arithmetic = Waits(Arithmetic(Overflows(exact), "fp16"), load_exact)
    [clip] = speech(2.0)
    with ThreadPoolExecutor(2) as threads:
        futures = [threads.submit(engine.forward, [clip], BEST) for _ in range(2)]
        lengths = [len(frames) for future in futures for frames in future.result()]
    assert lengths == [99, 99]
    assert loads == [1]


def test_samples_that_are_no_numbers_change_no_precision(folder: Path) -> None:
    exact = load_model(read_checkpoint(folder), "fp32")
    engine = engine_of(folder, Overflows(exact), precision="fp16", load_exact=lambda: exact)
    [clip] = speech(1.0)
    clip = clip.copy()
    clip[100] = np.nan
    with pytest.raises(FloatingPointError, match="not finite in fp16"):
        engine.forward([clip], BEST)
    assert (engine.precision, engine.warning) == ("fp16", None)


def test_fp32_that_cannot_be_loaded_is_tried_once(folder: Path) -> None:
    loads = []

    def load_exact() -> Any:
        loads.append(1)
        raise torch.OutOfMemoryError("CUDA out of memory.")

    exact = load_model(read_checkpoint(folder), "fp32")
    engine = engine_of(folder, Overflows(exact), precision="fp16", load_exact=load_exact)
    for _ in range(2):
        with pytest.raises(FloatingPointError):
            engine.forward(speech(2.0), BEST)
    assert loads == [1]
    assert "fp32 cannot be loaded (CUDA out of memory.)" in str(engine.warning)
    assert len(engine.forward(speech(1.0), BEST)) == 1, "what does not overflow is still computed"


SPLIT = (
    "WavLM, layer norm",
    "WavLM, group norm",
    "Data2Vec-audio",
    "SEW",
    "Wav2Vec2-Conformer, rotary",
)


class Seen:
    """The shapes that a module gets."""

    def __init__(self, module: nn.Module) -> None:
        self.shapes: list[tuple[int, ...]] = []
        module.register_forward_pre_hook(
            lambda _, inputs: self.shapes.append(tuple(inputs[0].shape))
        )


@pytest.mark.parametrize("norm", ["layer", "group"])
def test_the_encoder_computes_whole_rows_on_a_gpu_and_pieces_on_a_cpu(
    tmp_path: Path, norm: str
) -> None:
    checkpoint = read_checkpoint(save_random_checkpoint(tmp_path, norm=norm))
    model = load_model(checkpoint, "fp32")
    model.encoder_samples = 2 * 6 * SAMPLE_RATE
    rows = torch.from_numpy(np.stack(speech(6.0, 6.0, 6.0)))
    seen = Seen(model.encoder)
    with torch.inference_mode():
        together = model._encode(rows)
        assert seen.shapes == [(2, 6 * SAMPLE_RATE), (1, 6 * SAMPLE_RATE)]
        del seen.shapes[:]
        alone = [model._encode(row[None]) for row in rows]
    longest = max(length for _, length in seen.shapes)
    assert (longest < 3 * SAMPLE_RATE) == (norm == "layer"), "pieces need a local encoder"
    torch.testing.assert_close(together, torch.cat(alone), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("shape", SPLIT)
def test_the_encoders_of_transformers_take_some_rows_at_a_time(tmp_path: Path, shape: str) -> None:
    folder = save_checkpoint(tmp_path, shape)
    engine = load_torch_engine(folder, device="cpu", precision="fp32", pads=True)
    clips = speech(1.0, 1.0, 1.0, 1.0, 1.0)
    at_once = engine.log_probs(clips)
    split = engine._arithmetic.current.model.model.base_model.feature_extractor
    assert isinstance(split, RowsAtATime)
    split.n_samples = 2 * SAMPLE_RATE
    seen = Seen(split.encoder)
    for ours, theirs in zip(engine.log_probs(clips), at_once, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)
    assert [n_rows for n_rows, _ in seen.shapes] == [2, 2, 1]


class Replays:
    """Records on the CPU: a replay computes again and writes into the same output."""

    def __init__(self) -> None:
        self.n_recorded = self.n_replayed = 0

    def __call__(self, compute: Callable[[], Tensor]) -> tuple[Tensor, Callable[[], None]]:
        self.n_recorded += 1
        output = torch.full_like(compute(), torch.nan)

        def replay() -> None:
            self.n_replayed += 1
            output.copy_(compute())

        return output, replay


@pytest.mark.parametrize("norm", ["layer", "group"])
def test_replayed_windows_have_the_frames_of_computed_ones(tmp_path: Path, norm: str) -> None:
    folder, records = save_random_checkpoint(tmp_path, norm=norm), Replays()
    model = load_model(read_checkpoint(folder), "fp32")
    engine = engine_of(folder, Graphs(model, 2 * SAMPLE_RATE, records), pass_seconds=8)
    plain = engine_of(folder, model, pass_seconds=8)
    for n_rows in (1, 3, 4, 2, 9):
        clips = speech(*[2.0] * n_rows)
        for ours, theirs in zip(
            engine.forward(clips, BEST), plain.forward(clips, BEST), strict=True
        ):
            np.testing.assert_array_equal(ours.columns, theirs.columns)
            np.testing.assert_allclose(ours.log_probs, theirs.log_probs, atol=1e-5)
    # Passes of 1; 3; 4; 2; 4, 4 and 1 rows.
    assert (records.n_recorded, records.n_replayed) == (3, 7)
    for clips in (speech(1.0), speech(2.5), speech(2.0, 1.5)):
        [ours, *_], [theirs, *_] = engine.forward(clips, BEST), plain.forward(clips, BEST)
        np.testing.assert_array_equal(ours.columns, theirs.columns)
    assert records.n_replayed == 7 + (norm == "group"), "a window of another length was replayed"


def test_a_device_that_records_no_graphs_computes_without(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tries = []

    def fails(compute: Callable[[], Tensor]) -> tuple[Tensor, Callable[[], None]]:
        tries.append(1)
        raise torch.AcceleratorError("CUDA error: operation not permitted when stream is capturing")

    model = load_model(read_checkpoint(folder), "fp32")
    engine = engine_of(folder, Graphs(model, 2 * SAMPLE_RATE, fails))
    for _ in range(2):
        assert [len(frames) for frames in engine.forward(speech(2.0, 2.0), BEST)] == [99, 99]
    assert tries == [1]
    assert caplog.messages == ["CUDA graphs cannot be recorded here, so none are used"]
