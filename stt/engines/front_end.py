"""From waveforms to what a model's forward takes, on its device."""

from collections.abc import Sequence
from typing import Any, Protocol

from stt.engines.families.base import Checkpoint, Input
from stt.engines.transfer import Transfer
from stt.types import SAMPLE_RATE, Waveform


class FrontEnd(Protocol):
    """Prepares a batch; see `stt.engines.families.base.Input` for the results."""

    def __call__(self, waveforms: Sequence[Waveform]) -> tuple[Any, Any | None]:
        """The inputs in fp32, and the lengths or the mask that mark their padding, if any."""
        ...


class WaveformFrontEnd:
    """Pads waveforms and scales them on the device."""

    def __init__(self, transfer: Transfer, *, normalises: bool) -> None:
        self._transfer = transfer
        self._normalises = normalises

    def __call__(self, waveforms: Sequence[Waveform]) -> tuple[Any, Any | None]:
        """See `FrontEnd`."""
        padded, lengths = self._transfer.upload(waveforms)
        return (normalised(padded, lengths) if self._normalises else padded), lengths


class LogMelFrontEnd:
    """Computes log-mel features with transformers' feature extractor, on the CPU."""

    def __init__(self, transfer: Transfer, feature_extractor: Any) -> None:
        self._transfer = transfer
        self._extract = feature_extractor

    def __call__(self, waveforms: Sequence[Waveform]) -> tuple[Any, Any | None]:
        """See `FrontEnd`."""
        features = self._extract(list(waveforms), sampling_rate=SAMPLE_RATE, return_tensors="pt")
        uploaded = self._transfer.copy(features["input_features"], features["attention_mask"])
        return uploaded[0].float(), uploaded[1]


def front_end_of(checkpoint: Checkpoint, transfer: Transfer) -> FrontEnd:
    """The front end of a checkpoint's family."""
    if checkpoint.family.input is Input.LOG_MEL:
        return LogMelFrontEnd(transfer, checkpoint.feature_extractor)
    return WaveformFrontEnd(transfer, normalises=checkpoint.normalises)


def normalised(waveforms: Any, lengths: Any | None) -> Any:
    """Scale to zero mean and unit variance on the device, like transformers' feature extractor.

    Args:
        waveforms: ``[n, n_samples] float32``, each followed by zeros.
        lengths: ``[n] int64``, samples before the zeros; None if there are no zeros.
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
