"""Copies between host and device, through pinned memory and parallel to computation."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from stt.types import Waveform


@dataclass(frozen=True)
class Download:
    """Arrays that are being copied from the device."""

    tensors: tuple[Any, ...]
    """On the host; valid once the event has completed."""
    event: Any | None
    """A CUDA event, or None if there is nothing to wait for."""

    def arrays(self) -> list[NDArray[Any]]:
        """Wait for the copies; the thread sleeps and frees its core."""
        if self.event is not None:
            self.event.synchronize()
        return [tensor.numpy() for tensor in self.tensors]


class Transfer:
    """Copies to and from one device; a CPU needs none."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._stream: Any | None = None
        """The stream of uploads, so that they do not wait for computation."""

    def upload(self, waveforms: Sequence[Waveform]) -> tuple[Any, Any | None]:
        """Pad with zeros to ``[n, longest] float32``; also return the lengths, ``[n] int64``.

        The lengths are None if all are equal: attention is faster without a mask.
        """
        import torch

        counts = [len(waveform) for waveform in waveforms]
        on_host = self._device == "cpu"
        padded = torch.zeros(len(counts), max(counts), pin_memory=not on_host)
        rows = padded.numpy()
        for row, waveform in enumerate(waveforms):
            rows[row, : len(waveform)] = waveform
        if len(set(counts)) == 1:
            return self.copy(padded)[0], None
        on_device, lengths = self.copy(padded, torch.tensor(counts))
        return on_device, lengths

    def copy(self, *tensors: Any) -> tuple[Any, ...]:
        """The tensors on the device; the computation waits for them, the caller does not."""
        if self._device == "cpu":
            return tensors
        import torch

        if self._stream is None:
            self._stream = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]
        computing = torch.cuda.current_stream(self._device)
        with torch.cuda.stream(self._stream):
            copies = tuple(
                (tensor if tensor.is_pinned() else tensor.pin_memory()).to(
                    self._device, non_blocking=True
                )
                for tensor in tensors
            )
        computing.wait_stream(self._stream)
        for tensor in copies:
            tensor.record_stream(computing)  # keep its memory until the computation ends
        return copies

    def download(self, *tensors: Any) -> Download:
        """Start copying tensors, which may still be computed."""
        if self._device == "cpu":
            return Download(tensors, None)
        import torch

        coming = tuple(tensor.to("cpu", non_blocking=True) for tensor in tensors)
        event = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
        event.record(torch.cuda.current_stream(self._device))
        return Download(coming, event)
