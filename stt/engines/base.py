"""The interface of an acoustic model: waveforms in, frames out.

An engine is synchronous and independent of requests. The service creates one per language when it
starts. `stt.engines` has the implementations.
"""

from collections.abc import Sequence
from typing import Protocol

from stt.engines.limits import DeviceLimits
from stt.engines.wants import F, Want
from stt.types import Calibration, FrameGrid, Vocabulary, Waveform


class Engine(Protocol):
    """What the rest of the service needs from a model."""

    @property
    def vocabulary(self) -> Vocabulary:
        """The symbols of the frames' columns."""
        ...

    @property
    def grid(self) -> FrameGrid:
        """Which samples each frame covers, given by the checkpoint's convolutions."""
        ...

    @property
    def calibration(self) -> Calibration:
        """Corrections of the checkpoint's word times and confidences."""
        ...

    @property
    def device(self) -> str:
        """``cpu`` or ``cuda:N``."""
        ...

    @property
    def limits(self) -> DeviceLimits:
        """How much audio the device takes at a time."""
        ...

    @property
    def precision(self) -> str:
        """``fp32``, ``bf16``, ``fp16`` or ``int8``."""
        ...

    @property
    def backend(self) -> str:
        """``torch`` or ``openvino``."""
        ...

    @property
    def warning(self) -> str | None:
        """Why it has become slower since it was opened, and what to do; None if it has not."""
        ...

    def forward(self, waveforms: Sequence[Waveform], want: Want[F]) -> list[F]:
        """Compute ``grid.n_frames(len(waveform))`` frames for each waveform, in order.

        ``want`` says what of each frame; log-probs are reduced to it on the device.

        Each needs at least ``grid.receptive_samples`` samples. Results never depend on the rest of
        the batch. As many threads may call it at a time as ``limits.batches_in_flight``.

        Raises:
            DeviceLost: `stt.engines.faults.DeviceLost`; every later call would fail, too.
            Exception: anything else. `stt.engines.faults.is_out_of_memory` tells whether fewer or
                shorter waveforms may succeed.
        """
        ...
