"""The acoustic model: waveforms in, frames out.

An engine is synchronous and knows nothing of requests or time. There is one for each language,
made once, when the app starts. `stt.engines` has the implementations.
"""

from collections.abc import Sequence
from typing import Protocol

from stt.engines.limits import DeviceLimits
from stt.types import Calibration, FrameGrid, Frames, Vocabulary, Waveform


class Engine(Protocol):
    """What the rest of the service needs of a model."""

    @property
    def vocabulary(self) -> Vocabulary:
        """What the frames' columns stand for."""
        ...

    @property
    def grid(self) -> FrameGrid:
        """Which samples the frames cover: what the checkpoint's convolutions say."""
        ...

    @property
    def calibration(self) -> Calibration:
        """Of the checkpoint's word times and confidences."""
        ...

    @property
    def device(self) -> str:
        """Where it computes: ``cpu`` or ``cuda:N``."""
        ...

    @property
    def limits(self) -> DeviceLimits:
        """How much audio the device takes at a time."""
        ...

    @property
    def precision(self) -> str:
        """What it computes with: ``fp32``, ``bf16``, ``fp16`` or ``int8``."""
        ...

    @property
    def backend(self) -> str:
        """What computes it: ``torch`` or ``openvino``."""
        ...

    def forward(self, waveforms: Sequence[Waveform]) -> list[Frames]:
        """One result for each waveform, in order, of ``grid.n_frames(len(waveform))`` frames.

        What the other waveforms of the batch are does not show in a result. Each must have at
        least ``grid.receptive_samples`` samples.
        """
        ...
