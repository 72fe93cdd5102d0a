"""Between the host's memory and the device's: pinned, and beside the computation."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from stt.types import Waveform


@dataclass(frozen=True)
class Download:
    """Arrays on their way from the device."""

    tensors: tuple[Any, ...]
    """On the host; what is in them counts once the event has come."""
    event: Any | None
    """Of CUDA; None where there is nothing to wait for."""

    def arrays(self) -> list[NDArray[Any]]:
        """Wait for them; the thread sleeps meanwhile and leaves its core to others."""
        if self.event is not None:
            self.event.synchronize()
        return [tensor.numpy() for tensor in self.tensors]


class Transfer:
    """Copies of one device; on a CPU there are none to make."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._stream: Any | None = None
        """Where uploads run, so that they wait for no computation."""

    def upload(self, waveforms: Sequence[Waveform]) -> tuple[Any, Any | None]:
        """``[n, longest] float32``, zeros at the ends; and ``[n] int64``, lengths.

        No lengths where all are the same: nothing padded needs no mask, and attention without one
        is faster.
        """
        import torch

        counts = [len(waveform) for waveform in waveforms]
        on_host = self._device == "cpu"
        padded = torch.zeros(len(counts), max(counts), pin_memory=not on_host)
        rows = padded.numpy()
        for row, waveform in enumerate(waveforms):
            rows[row, : len(waveform)] = waveform
        lengths = torch.tensor(counts) if len(set(counts)) > 1 else None
        if on_host:
            return padded, lengths
        if self._stream is None:
            self._stream = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]
        computing = torch.cuda.current_stream(self._device)
        with torch.cuda.stream(self._stream):
            there = padded.to(self._device, non_blocking=True)
            if lengths is not None:
                lengths = lengths.pin_memory().to(self._device, non_blocking=True)
        computing.wait_stream(self._stream)
        for tensor in (there, lengths):
            if tensor is not None:
                tensor.record_stream(computing)  # not to be given away while it is computed with
        return there, lengths

    def download(self, *tensors: Any) -> Download:
        """Begin to copy what has been, or is being, computed."""
        if self._device == "cpu":
            return Download(tensors, None)
        import torch

        coming = tuple(tensor.to("cpu", non_blocking=True) for tensor in tensors)
        event = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
        event.record(torch.cuda.current_stream(self._device))
        return Download(coming, event)
