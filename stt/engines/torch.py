"""The torch engine: a CTC checkpoint on a CPU or GPU.

On a GPU a batch is split into passes, all of which start before the first is awaited, so the next
pass is prepared and copied while one is computed. Two threads may call `TorchEngine.forward` at a
time: the second batch is launched while the first is computed.
"""

import logging
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stt.engines.accelerator import Accelerator, accelerator_of, check_alive
from stt.engines.arithmetic import Arithmetic, Fallback
from stt.engines.checkpoint import read_checkpoint, unreadable
from stt.engines.families.base import Checkpoint, Input, Layers
from stt.engines.faults import is_out_of_memory, release
from stt.engines.front_end import front_end_of
from stt.engines.graphs import Graphs, RecordCuda
from stt.engines.limits import limits_of
from stt.engines.memory import release_mapped_pages
from stt.engines.passes import PASS_SECONDS, Passes
from stt.engines.precision import DTYPES, choose_precision
from stt.engines.transfer import Download, Transfer
from stt.engines.wants import F, Want
from stt.errors import ModelBroken
from stt.frames import AnyFrames
from stt.types import SAMPLE_RATE, Calibration, LogProbs, Waveform

logger = logging.getLogger(__name__)


class TorchEngine:
    """See `stt.engines.base.Engine`; `load_torch_engine` creates one."""

    backend = "torch"

    def __init__(
        self,
        checkpoint: Checkpoint,
        arithmetic: Fallback,
        *,
        device: str,
        calibration: Calibration,
        cpu_threads: int = 0,
        pads: bool | None = None,
        pass_seconds: float = PASS_SECONDS,
        accelerator: Accelerator | None = None,
    ) -> None:
        """
        Args:
            checkpoint: The checkpoint's description.
            arithmetic: Its model; in fp32 once it has overflowed in fp16.
            device: ``cpu`` or ``cuda:N``.
            calibration: Its temperature is applied to the frames.
            cpu_threads: Threads of one forward; 0 means torch's default.
            pads: Whether waveforms share a pass, padded to one length where that is harmless.
                None means only on a GPU: sharing gains nothing on a CPU, where results then are
                bit for bit independent of the batch.
            pass_seconds: Padded audio in a pass, where waveforms share one.
            accelerator: The device; replaced in tests.
        """
        self._checkpoint = checkpoint
        self._arithmetic = arithmetic
        self.device = device
        self.limits = limits_of(device)
        self.calibration = calibration
        self._cpu_threads = cpu_threads
        self._prepared = threading.local()
        self._launching = threading.Lock()
        """Held while passes start, so that those of two batches do not mix."""
        self._accelerator = accelerator or accelerator_of(device)
        self._transfer = Transfer(device)
        self._front_end = front_end_of(checkpoint, self._transfer)
        self._min_samples = checkpoint.family.min_samples(checkpoint.config)
        self.vocabulary = checkpoint.vocabulary
        self.grid = checkpoint.grid
        shares = device != "cpu" if pads is None else pads
        may_pad = checkpoint.family.is_padding_safe(checkpoint.config)
        self.passes = Passes(shares=shares, pads=shares and may_pad, seconds=pass_seconds)

    @property
    def precision(self) -> str:
        """See `stt.engines.base.Engine`."""
        return self._arithmetic.current.precision

    @property
    def warning(self) -> str | None:
        """See `stt.engines.base.Engine`."""
        return self._arithmetic.warning

    def forward(self, waveforms: Sequence[Waveform], want: Want[F]) -> list[F]:
        """See `stt.engines.base.Engine.forward`."""
        try:
            return self._finite(waveforms, want)
        except RuntimeError as error:
            check_alive(self._accelerator, error)
            raise

    def _finite(self, waveforms: Sequence[Waveform], want: Want[F]) -> list[F]:
        """The frames; rows that overflow in fp16 are computed again in fp32."""
        arithmetic = self._arithmetic.current
        results = self._compute(arithmetic, waveforms, want)
        rows = [index for index, frames in enumerate(results) if not _is_finite(frames)]
        overflown = arithmetic.precision == "fp16" and all(
            np.isfinite(waveforms[row]).all() for row in rows
        )
        if rows and overflown and (exact := self._arithmetic.after_overflow()):
            again = self._compute(exact, [waveforms[row] for row in rows], want)
            for row, frames in zip(rows, again, strict=True):
                results[row] = frames
            rows = [row for row in rows if not _is_finite(results[row])]
        if rows:
            raise FloatingPointError(
                f"the model's output is not finite in {self.precision}; STT_PRECISION=fp32 may help"
            )
        return results

    def _compute(
        self, arithmetic: Arithmetic, waveforms: Sequence[Waveform], want: Want[F]
    ) -> list[F]:
        """The frames of each waveform, in as many passes as memory takes."""
        results: dict[int, F] = {}
        while len(results) < len(waveforms):
            waiting = {
                index: waveform for index, waveform in enumerate(waveforms) if index not in results
            }
            launched, too_large = self._launch(arithmetic, waiting, want)
            for group, coming in launched:
                arrays = coming.arrays()
                for row, index in enumerate(group):
                    frames = want.frames([array[row] for array in arrays])
                    results[index] = frames[: self.grid.n_frames(len(waveforms[index]))]
            if too_large:
                self._learn(max(len(waveforms[index]) for index in too_large), len(too_large))
        return [results[index] for index in range(len(waveforms))]

    def _launch(
        self, arithmetic: Arithmetic, waveforms: Mapping[int, Waveform], want: Want[F]
    ) -> tuple[list[tuple[list[int], Download]], list[int]]:
        """Start passes until one runs out of memory; return that one, too.

        A waveform may run out of memory alone only while others are being computed.
        """
        launched: list[tuple[list[int], Download]] = []
        lengths = {index: len(waveform) for index, waveform in waveforms.items()}
        with self._launching:
            for group in self.passes.groups(lengths):
                try:
                    rows = [waveforms[index] for index in group]
                    launched.append((group, self._begin(arithmetic, rows, want)))
                except Exception as error:
                    alone = len(group) == 1 and not launched
                    if alone or not is_out_of_memory(error):
                        raise
                    release(error)
                    return launched, group
        return launched, []

    def _learn(self, longest: int, n_rows: int) -> None:
        """Make the next passes smaller, after all that was launched has ended."""
        self._accelerator.free_memory()
        if n_rows > 1:
            self.passes.fitting.failed(longest * n_rows)
            logger.warning(
                "out of memory in a pass of %d, from now on passes have %.0f s of audio",
                n_rows, self.passes.fitting.most / SAMPLE_RATE,
            )  # fmt: skip

    def log_probs(self, waveforms: Sequence[Waveform]) -> list[LogProbs]:
        """``[n_frames, n_vocab] float32``, natural log. For measurements; see also `forward`."""
        results: dict[int, LogProbs] = {}
        for group in self.passes.groups(dict(enumerate(map(len, waveforms)))):
            rows = [waveforms[index] for index in group]
            outputs = self._log_probs(self._arithmetic.current, rows).cpu().numpy()
            for index, output in zip(group, outputs, strict=True):
                results[index] = output[: self.grid.n_frames(len(waveforms[index]))]
        return [results[index] for index in range(len(waveforms))]

    def _begin(self, arithmetic: Arithmetic, waveforms: list[Waveform], want: Want[F]) -> Download:
        """Start a pass, reduced to what is wanted, ``[n, n_frames, ...]`` each."""
        import torch

        with torch.inference_mode():
            log_probs = self._log_probs(arithmetic, waveforms)
            reduced = want.reduce_tensor(log_probs, self.calibration.temperature)
            return self._transfer.download(*reduced)

    def _log_probs(self, arithmetic: Arithmetic, waveforms: list[Waveform]) -> Any:
        """``[n, n_frames, n_vocab] float32`` on the device."""
        import torch

        self._prepare_thread()
        dtype = getattr(torch, DTYPES[arithmetic.precision])
        with torch.inference_mode():
            inputs, padding = self._front_end([self._filled(each) for each in waveforms])
            logits = arithmetic.model(inputs.to(dtype), padding)
            return torch.log_softmax(logits.float(), dim=-1)

    def _filled(self, waveform: Waveform) -> Waveform:
        """A waveform with zeros behind it if it is too short for the model."""
        return np.pad(waveform, (0, max(0, self._min_samples - len(waveform))))

    def _prepare_thread(self) -> None:
        """Set torch's thread count, which is per thread, in the thread that computes."""
        if self._cpu_threads and not hasattr(self._prepared, "done"):
            import torch

            torch.set_num_threads(self._cpu_threads)
            self._prepared.done = True


def _is_finite(frames: AnyFrames) -> bool:
    return bool(np.isfinite(frames.log_probs).all())


def load_torch_engine(
    folder: Path,
    *,
    device: str,
    precision: str = "auto",
    calibration: Calibration | None = None,
    cpu_threads: int = 0,
    pads: bool | None = None,
    pass_seconds: float = PASS_SECONDS,
    graph_seconds: float | None = None,
    language: str | None = None,
    layers: Layers | None = None,
) -> TorchEngine:
    """Load a checkpoint folder in transformers' layout; see `TorchEngine` for the arguments.

    Args:
        graph_seconds: Length of the windows to compute as CUDA graphs, if any.
        language: See `stt.engines.checkpoint.read_checkpoint`.
        layers: Layers of loaded checkpoints, to share and to add to.

    Raises:
        ModelBroken: naming what is missing or wrong, and what to do.
        ConfigurationError: see `choose_precision`.
    """
    import torch

    from stt.engines.packed import pack_all

    precision = choose_precision(precision, device)
    checkpoint = read_checkpoint(folder, language)
    model = load_model(checkpoint, precision, layers)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    if device == "cpu":
        pack_all(model)
    model = model.to(device)
    compute = model
    if graph_seconds and device != "cpu" and checkpoint.family.input is Input.WAVEFORM:
        n_samples = checkpoint.grid.window_samples(graph_seconds)
        compute = Graphs(model, n_samples, RecordCuda())

    def load_exact() -> Any:
        return load_model(checkpoint, "fp32").to(device)

    logger.info(
        "model read",
        extra={"parameters": parameters, "device": device, "precision": precision},
    )
    release_mapped_pages(Path(torch.__file__).parents[1])
    return TorchEngine(
        checkpoint,
        Fallback(Arithmetic(compute, precision), load_exact if precision == "fp16" else None),
        device=device,
        calibration=calibration or Calibration(),
        cpu_threads=cpu_threads,
        pads=pads,
        pass_seconds=pass_seconds,
    )


def load_model(checkpoint: Checkpoint, precision: str, layers: Layers | None = None) -> Any:
    """Load the model on the CPU, as a module from the inputs of its family to logits.

    Raises:
        ModelBroken: the weights cannot be read, lack tensors or do not fit.
    """
    import torch

    dtype = getattr(torch, DTYPES[precision])
    try:
        return checkpoint.family.load(checkpoint, dtype, {} if layers is None else layers)
    except ModelBroken:
        raise
    except KeyError as error:
        raise ModelBroken(
            f"The weights lack the tensor {error}, which config.json requires. Check that the "
            "model was fine-tuned for CTC and saved completely."
        ) from error
    except Exception as error:  # safetensors, torch and transformers raise many types
        raise unreadable(error) from error
