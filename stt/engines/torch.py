"""A CTC checkpoint of the Wav2Vec2 family, computed by torch on a CPU or a GPU."""

import logging
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from stt.engines.checkpoint import Checkpoint, read_checkpoint, unreadable
from stt.errors import ConfigurationError, ModelBroken
from stt.transcript import Calibration, Frames, LogProbs, Waveform

logger = logging.getLogger(__name__)

DTYPES = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}


class TorchEngine:
    """See `stt.engine.Engine`; `load_torch_engine` makes one."""

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
            pads: Whether recordings of different length may share a forward. On CPUs they do not:
                it gains nothing there, and alone each comes out the same to the last bit.
        """
        self._checkpoint = checkpoint
        self._model = model
        self.device = device
        self.precision = precision
        self.calibration = calibration
        self._cpu_threads = cpu_threads
        self._prepared = threading.local()
        self.vocabulary = checkpoint.vocabulary
        self.grid = checkpoint.grid
        self._pads = (device != "cpu" if pads is None else pads) and checkpoint.takes_mask

    def forward(self, waveforms: Sequence[Waveform]) -> list[Frames]:
        """See `stt.engine.Engine.forward`."""
        results: dict[int, Frames] = {}
        for group in self._groups(waveforms):
            reduced = self._reduced([waveforms[index] for index in group])
            for index, (columns, log_probs, posteriors) in zip(group, zip(*reduced), strict=True):  # noqa: B905
                n_frames = self.grid.n_frames(len(waveforms[index]))
                results[index] = Frames(columns, log_probs, posteriors)[:n_frames]
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
        """Indices of what may share a forward."""
        if self.device == "cpu" and not self._pads:
            yield from ([index] for index in range(len(waveforms)))
            return
        groups: dict[int, list[int]] = {}
        for index, waveform in enumerate(waveforms):
            groups.setdefault(0 if self._pads else len(waveform), []).append(index)
        yield from groups.values()

    def _log_probs(self, waveforms: list[Waveform]) -> Any:
        """``[n, n_frames, n_vocab] float32`` on the device."""
        import torch

        self._prepare_thread()
        inputs = self._checkpoint.inputs(waveforms, framework="pt")["input_values"]
        lengths = [len(waveform) for waveform in waveforms]
        # Nothing padded needs no mask, and attention without one is faster.
        mask = self._on_device(torch.tensor(lengths)) if len(set(lengths)) > 1 else None
        dtype = getattr(torch, DTYPES[self.precision])
        with torch.inference_mode():
            logits = self._model(self._on_device(inputs).to(dtype), mask)
            return torch.log_softmax(logits.float(), dim=-1)

    def _reduced(self, waveforms: list[Waveform]) -> list[Any]:
        """`Frames`' three arrays, ``[n, n_frames]`` each, reduced on the device."""
        import torch

        temperature = self.calibration.temperature
        with torch.inference_mode():
            log_probs = self._log_probs(waveforms)
            best, columns = log_probs.max(dim=-1)
            posteriors = best / temperature - torch.logsumexp(log_probs / temperature, dim=-1)
            arrays = [each.cpu().numpy() for each in (columns.int(), best, posteriors)]
        if not bool(torch.isfinite(torch.from_numpy(arrays[1])).all()):
            raise FloatingPointError(
                f"the model's output is not finite in {self.precision}; STT_PRECISION=fp32 may help"
            )
        return arrays

    def _prepare_thread(self) -> None:
        """Set what torch keeps for each thread, in the one that computes."""
        if self._cpu_threads and not hasattr(self._prepared, "done"):
            import torch

            torch.set_num_threads(self._cpu_threads)
            self._prepared.done = True

    def _on_device(self, tensor: Any) -> Any:
        """The tensor where the model is; copied beside the computation where there is a GPU."""
        if self.device == "cpu":
            return tensor
        return tensor.pin_memory().to(self.device, non_blocking=True)


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
    precision = choose_precision(precision, device)
    checkpoint = read_checkpoint(folder)
    model = load_model(checkpoint, precision).to(device)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    logger.info(
        "model read",
        extra={"parameters": parameters, "device": device, "precision": precision},
    )
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
