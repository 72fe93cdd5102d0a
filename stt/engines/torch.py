"""A CTC checkpoint of the Wav2Vec2 family, computed by torch on a CPU or a GPU.

On a GPU a batch is several passes, and all are begun before the first is waited for: while one is
computed, the next one's recordings are put together and copied beside it. Nothing is captured in a
CUDA graph: that would take one for each length, and what it saves, the time to launch some 400
kernels, is hidden behind the pass before.
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
from stt.engines.checkpoint import Checkpoint, read_checkpoint, unreadable
from stt.engines.limits import limits_of
from stt.engines.memory import release_mapped_pages
from stt.engines.transfer import Download, Transfer
from stt.errors import ConfigurationError, ModelBroken
from stt.languages import BUNDLED_FOLDER, samples_folder
from stt.types import SAMPLE_RATE, Calibration, Frames, LogProbs, Waveform

logger = logging.getLogger(__name__)

DTYPES = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}
PASS_SECONDS = 160.0
"""Audio that a GPU computes at a time, once padded: its products have 8,000 rows then, which keep
every large GPU busy, and its signals take a few hundred megabytes."""


class TorchEngine:
    """See `stt.engines.base.Engine`; `load_torch_engine` makes one."""

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
            checkpoint: What the folder says.
            model: From waveforms (normalised, padded) and their lengths (None: not padded) to
                logits; on the device and in the precision.
            device: ``cpu`` or ``cuda:N``.
            precision: ``fp32``, ``bf16`` or ``fp16``.
            calibration: Its temperature goes into the frames.
            cpu_threads: Threads of one forward; 0 leaves it to torch.
            pads: Whether recordings share a pass, padded to one length where the model can be told
                of padding. On CPUs they do not: it gains nothing there, and alone each comes out
                the same to the last bit.
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
        self.vocabulary = checkpoint.vocabulary
        self.grid = checkpoint.grid
        batches = device != "cpu" if pads is None else pads
        self._pass_samples = PASS_SECONDS * SAMPLE_RATE if batches else 0
        self._pads = batches and checkpoint.takes_mask

    def forward(self, waveforms: Sequence[Waveform]) -> list[Frames]:
        """See `stt.engines.base.Engine.forward`."""
        passes = [
            (group, self._begin([waveforms[index] for index in group]))
            for group in self._groups(waveforms)
        ]
        results: dict[int, Frames] = {}
        for group, coming in passes:
            columns, log_probs, posteriors = coming.arrays()
            if not np.isfinite(log_probs).all():
                raise FloatingPointError(
                    f"the model's output is not finite in {self.precision}; STT_PRECISION=fp32 may "
                    "help"
                )
            for row, index in enumerate(group):
                frames = Frames(columns[row], log_probs[row], posteriors[row])
                results[index] = frames[: self.grid.n_frames(len(waveforms[index]))]
        return [results[index] for index in range(len(waveforms))]

    def log_probs(self, waveforms: Sequence[Waveform]) -> list[LogProbs]:
        """All of each waveform's log-probs, for measurements; `forward` is what a service needs."""
        results: dict[int, LogProbs] = {}
        for group in self._groups(waveforms):
            outputs = self._log_probs([waveforms[index] for index in group]).cpu().numpy()
            for index, rows in zip(group, outputs, strict=True):
                results[index] = rows[: self.grid.n_frames(len(waveforms[index]))]
        return [results[index] for index in range(len(waveforms))]

    def _groups(self, waveforms: Sequence[Waveform]) -> Iterator[list[int]]:
        """Indices of what shares a pass: neighbours in length, the longest first."""
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

    def _begin(self, waveforms: list[Waveform]) -> Download:
        """`Frames`' three arrays, ``[n, n_frames]`` each, reduced on the device."""
        import torch

        temperature = self.calibration.temperature
        with torch.inference_mode():
            log_probs = self._log_probs(waveforms)
            best, columns = log_probs.max(dim=-1)
            posteriors = best / temperature - torch.logsumexp(log_probs / temperature, dim=-1)
            return self._transfer.download(columns.int(), best, posteriors)

    def _log_probs(self, waveforms: list[Waveform]) -> Any:
        """``[n, n_frames, n_vocab] float32`` on the device."""
        import torch

        self._prepare_thread()
        dtype = getattr(torch, DTYPES[self.precision])
        with torch.inference_mode():
            padded, lengths = self._transfer.upload(waveforms)
            if self._checkpoint.feature_extractor.do_normalize:
                padded = normalised(padded, lengths)
            logits = self._model(padded.to(dtype), lengths)
            return torch.log_softmax(logits.float(), dim=-1)

    def _prepare_thread(self) -> None:
        """Set what torch keeps for each thread, in the one that computes."""
        if self._cpu_threads and not hasattr(self._prepared, "done"):
            import torch

            torch.set_num_threads(self._cpu_threads)
            self._prepared.done = True


def normalised(waveforms: Any, lengths: Any | None) -> Any:
    """Zero mean and unit variance, as transformers' feature extractor makes it, on the device.

    Args:
        waveforms: ``[n, n_samples] float32``, each followed by zeros.
        lengths: ``[n] int64``, samples before the zeros; None where there are none.
    """
    if lengths is None:
        counts = waveforms.shape[1]
        centred = waveforms - waveforms.mean(dim=1, keepdim=True)
    else:
        import torch

        counts = lengths[:, None]
        real = torch.arange(waveforms.shape[1], device=waveforms.device) < counts
        centred = (waveforms - waveforms.sum(dim=1, keepdim=True) / counts) * real
    variance = centred.square().sum(dim=1, keepdim=True) / counts
    return centred / (variance + 1e-7).sqrt()


def choose_precision(wanted: str, device: str) -> str:
    """``auto`` is the fastest that loses nothing: bf16 where the processor has it.

    bf16 has the exponents of fp32, so nothing overflows that did not before.

    Raises:
        ConfigurationError: for what torch does not compute on that device.
    """
    import torch

    if wanted == "auto":
        if device == "cpu":
            has = torch.cpu.get_capabilities()
            return "bf16" if has.get("avx512_bf16") or has.get("amx_bf16") else "fp32"
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
    if wanted not in DTYPES or (wanted == "fp16" and device == "cpu"):
        raise ConfigurationError(
            f"STT_PRECISION={wanted} is not for the torch backend on {device}. Set auto, fp32 or "
            "bf16 (and fp16 on a GPU); int8 is for the openvino backend."
        )
    return wanted


@functools.cache
def compare_precision(device: str, precision: str, cpu_threads: int = 0) -> Agreement:
    """Whether torch computes on this machine in a precision what it does in fp32.

    The bundled Korean model reads a bundled clip twice, which takes a fraction of a second and
    tells of the machine's kernels, not of the checkpoint that is served.

    Args:
        device: ``cpu`` or ``cuda:N``; fp32 is computed on the CPU.
        precision: As `choose_precision` returns it.
        cpu_threads: As of `TorchEngine`.
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
"""Lengths, in frames, that `compare_precision` reads the clip at."""


def load_torch_engine(
    folder: Path,
    *,
    device: str,
    precision: str = "auto",
    calibration: Calibration | None = None,
    cpu_threads: int = 0,
    pads: bool | None = None,
) -> TorchEngine:
    """Read a checkpoint folder in transformers' layout; arguments are those of `TorchEngine`.

    Raises:
        ModelBroken: naming what is missing or wrong, and what to do.
        ConfigurationError: see `choose_precision`.
    """
    import torch

    precision = choose_precision(precision, device)
    checkpoint = read_checkpoint(folder)
    model = load_model(checkpoint, precision).to(device)
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


def load_model(checkpoint: Checkpoint, precision: str) -> Any:
    """The model with its weights, on the CPU: a module from waveforms and lengths to logits.

    Wav2Vec2 is `stt.engines.wav2vec2`; its kin (HuBERT, WavLM, ...) are transformers' own.

    Raises:
        ModelBroken: the weights cannot be read, or lack tensors.
    """
    import torch

    from stt.engines import wav2vec2
    from stt.engines.weights import Weights

    dtype = getattr(torch, DTYPES[precision])
    try:
        if not wav2vec2.supports(checkpoint.config):
            from stt.engines.transformers import load_transformers_model

            return load_transformers_model(checkpoint, dtype)
        weights = Weights(checkpoint.folder, dtype)
        return wav2vec2.Wav2Vec2(checkpoint.config, checkpoint.grid, weights)
    except ModelBroken:
        raise
    except KeyError as error:
        raise ModelBroken(
            f"The weights lack the tensor {error}, which config.json calls for. Was the model "
            "fine-tuned for CTC, and saved whole?"
        ) from error
    except Exception as error:  # safetensors, torch and transformers raise many kinds
        raise unreadable(error) from error
