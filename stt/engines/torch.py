"""The torch engine: a CTC checkpoint on a CPU or GPU.

On a GPU a batch is split into passes, all of which start before the first is awaited, so the next
pass is prepared and copied while one is computed. CUDA graphs are not used: each length needs its
own, and the time they save, launching some 400 kernels, is hidden behind the previous pass.
"""

import functools
import logging
import threading
import wave
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stt.engines.agreement import Agreement, Reference
from stt.engines.checkpoint import read_checkpoint, unreadable
from stt.engines.families.base import Checkpoint, Layers
from stt.engines.front_end import front_end_of
from stt.engines.limits import limits_of
from stt.engines.memory import release_mapped_pages
from stt.engines.transfer import Download, Transfer
from stt.engines.wants import F, Want
from stt.errors import ConfigurationError, ModelBroken
from stt.languages import BUNDLED_FOLDER, samples_folder
from stt.types import SAMPLE_RATE, Calibration, LogProbs, Waveform

logger = logging.getLogger(__name__)

DTYPES = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}
PASS_SECONDS = 160.0
"""Padded audio in one GPU pass: its products have 8,000 rows, enough to keep a large GPU busy, and
its signals take a few hundred megabytes."""


class TorchEngine:
    """See `stt.engines.base.Engine`; `load_torch_engine` creates one."""

    backend = "torch"

    def __init__(
        self,
        checkpoint: Checkpoint,
        model: Any,
        *,
        device: str,
        precision: str,
        calibration: Calibration,
        cpu_threads: int = 0,
        pads: bool | None = None,
    ) -> None:
        """
        Args:
            checkpoint: The checkpoint's description.
            model: Maps the inputs of the checkpoint's family (`stt.engines.families.base.Input`)
                to logits; on the device and in the precision.
            device: ``cpu`` or ``cuda:N``.
            precision: ``fp32``, ``bf16`` or ``fp16``.
            calibration: Its temperature is applied to the frames.
            cpu_threads: Threads of one forward; 0 means torch's default.
            pads: Whether waveforms share a pass, padded to one length where that is harmless.
                None means only on a GPU: sharing gains nothing on a CPU, where results then are
                bit for bit independent of the batch.
        """
        self._checkpoint = checkpoint
        self._model = model
        self.device = device
        self.limits = limits_of(device)
        self.precision = precision
        self.calibration = calibration
        self._cpu_threads = cpu_threads
        self._prepared = threading.local()
        self._transfer = Transfer(device)
        self._front_end = front_end_of(checkpoint, self._transfer)
        self._min_samples = checkpoint.family.min_samples(checkpoint.config)
        self.vocabulary = checkpoint.vocabulary
        self.grid = checkpoint.grid
        batches = device != "cpu" if pads is None else pads
        self._pass_samples = PASS_SECONDS * SAMPLE_RATE if batches else 0
        self._pads = batches and checkpoint.family.is_padding_safe(checkpoint.config)

    def forward(self, waveforms: Sequence[Waveform], want: Want[F]) -> list[F]:
        """See `stt.engines.base.Engine.forward`."""
        passes = [
            (group, self._begin([waveforms[index] for index in group], want))
            for group in self._groups(waveforms)
        ]
        results: dict[int, F] = {}
        for group, coming in passes:
            arrays = coming.arrays()
            for row, index in enumerate(group):
                frames = want.frames([array[row] for array in arrays])
                if not np.isfinite(frames.log_probs).all():
                    raise FloatingPointError(
                        f"the model's output is not finite in {self.precision}; "
                        "STT_PRECISION=fp32 may help"
                    )
                results[index] = frames[: self.grid.n_frames(len(waveforms[index]))]
        return [results[index] for index in range(len(waveforms))]

    def log_probs(self, waveforms: Sequence[Waveform]) -> list[LogProbs]:
        """``[n_frames, n_vocab] float32``, natural log. For measurements; see also `forward`."""
        results: dict[int, LogProbs] = {}
        for group in self._groups(waveforms):
            outputs = self._log_probs([waveforms[index] for index in group]).cpu().numpy()
            for index, rows in zip(group, outputs, strict=True):
                results[index] = rows[: self.grid.n_frames(len(waveforms[index]))]
        return [results[index] for index in range(len(waveforms))]

    def _groups(self, waveforms: Sequence[Waveform]) -> Iterator[list[int]]:
        """Indices of the waveforms in each pass: similar lengths, longest first."""
        group: list[int] = []
        longest = 0
        for index in sorted(range(len(waveforms)), key=lambda index: -len(waveforms[index])):
            length = len(waveforms[index])
            full = longest * (len(group) + 1) > self._pass_samples
            if group and (full or not (self._pads or length == longest)):
                yield group
                group = []
            if not group:
                longest = length
            group.append(index)
        if group:
            yield group

    def _begin(self, waveforms: list[Waveform], want: Want[F]) -> Download:
        """Start a pass, reduced to what is wanted, ``[n, n_frames, ...]`` each."""
        import torch

        with torch.inference_mode():
            log_probs = self._log_probs(waveforms)
            reduced = want.reduce_tensor(log_probs, self.calibration.temperature)
            return self._transfer.download(*reduced)

    def _log_probs(self, waveforms: list[Waveform]) -> Any:
        """``[n, n_frames, n_vocab] float32`` on the device."""
        import torch

        self._prepare_thread()
        dtype = getattr(torch, DTYPES[self.precision])
        with torch.inference_mode():
            inputs, padding = self._front_end([self._filled(each) for each in waveforms])
            logits = self._model(inputs.to(dtype), padding)
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


def choose_precision(wanted: str, device: str) -> str:
    """Resolve ``auto`` to the fastest precision without loss: bf16 if the hardware has it.

    bf16 has the exponent range of fp32, so it cannot overflow where fp32 does not.

    Raises:
        ConfigurationError: torch does not support the precision on that device.
    """
    import torch

    if wanted == "auto":
        if device == "cpu":
            has = torch.cpu.get_capabilities()
            return "bf16" if has.get("avx512_bf16") or has.get("amx_bf16") else "fp32"
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
    if wanted not in DTYPES or (wanted == "fp16" and device == "cpu"):
        raise ConfigurationError(
            f"STT_PRECISION={wanted} is not available in the torch backend on {device}. Set auto, "
            "fp32 or bf16 (or fp16 on a GPU); int8 needs the openvino backend."
        )
    return wanted


@functools.cache
def compare_precision(device: str, precision: str, cpu_threads: int = 0) -> Agreement:
    """Compare torch in a precision with fp32 on this machine.

    The bundled Korean model computes a bundled clip, which takes a fraction of a second and checks
    the machine's kernels, not the served checkpoint.

    Args:
        device: ``cpu`` or ``cuda:N``; fp32 is computed on the CPU.
        precision: A result of `choose_precision`.
        cpu_threads: See `TorchEngine`.
    """
    folder = BUNDLED_FOLDER / "ko-mini"
    with wave.open(str(samples_folder() / "ko-hello.wav")) as file:  # mono, 16 bits, 16 kHz
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    speech: Waveform = (samples / 32768).astype(np.float32)
    exact = load_torch_engine(folder, device="cpu", precision="fp32", cpu_threads=cpu_threads)
    reference = Reference.of(exact, [speech], lengths=_COMPARED_FRAMES)
    return reference.compare(
        load_torch_engine(folder, device=device, precision=precision, cpu_threads=cpu_threads)
    )


_COMPARED_FRAMES = (112, 48, 1, 170)
"""Lengths, in frames, at which `compare_precision` compares."""


def load_torch_engine(
    folder: Path,
    *,
    device: str,
    precision: str = "auto",
    calibration: Calibration | None = None,
    cpu_threads: int = 0,
    pads: bool | None = None,
    language: str | None = None,
    layers: Layers | None = None,
) -> TorchEngine:
    """Load a checkpoint folder in transformers' layout; see `TorchEngine` for the arguments.

    Args:
        language: See `stt.engines.checkpoint.read_checkpoint`.
        layers: Layers of loaded checkpoints, to share and to add to.

    Raises:
        ModelBroken: naming what is missing or wrong, and what to do.
        ConfigurationError: see `choose_precision`.
    """
    import torch

    precision = choose_precision(precision, device)
    checkpoint = read_checkpoint(folder, language)
    model = load_model(checkpoint, precision, layers).to(device)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    logger.info(
        "model read",
        extra={"parameters": parameters, "device": device, "precision": precision},
    )
    release_mapped_pages(Path(torch.__file__).parents[1])
    return TorchEngine(
        checkpoint,
        model,
        device=device,
        precision=precision,
        calibration=calibration or Calibration(),
        cpu_threads=cpu_threads,
        pads=pads,
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
