"""Samples of any width and number of channels -> what a live session hears."""

import asyncio
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from stt.audio.downmix import MIN_SECONDS, Downmix
from stt.audio.findings import Findings
from stt.audio.limits import MAX_CHANNELS, MAX_RATE, MIN_RATE
from stt.types import PCM_BYTES, PCM_FULL_SCALE


class Shape(BaseModel, frozen=True):
    """How samples are laid out, as ``audio-start`` and every ``audio-chunk`` say."""

    rate: int = Field(ge=MIN_RATE, le=MAX_RATE)
    """Hz."""
    width: Literal[1, 2, 3, 4]
    """Bytes of a sample: little-endian and signed, or unsigned if it is one byte, as in WAV."""
    channels: int = Field(ge=1, le=MAX_CHANNELS)


class Samples:
    """Converts a stream, which may be cut into chunks anywhere."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._rest = b""
        """What is left of the last chunk: part of a frame, or too little to mix."""
        self._downmix = Downmix(Findings())

    async def feed(self, data: bytes) -> bytes:
        """Add bytes; return the samples that are complete as s16le, mono."""
        seconds = MIN_SECONDS if self._shape.channels > 1 else 0.0
        return await self._convert(data, least=round(seconds * self._shape.rate))

    async def finish(self) -> bytes:
        """Return the samples that are left. Part of a frame is dropped."""
        return await self._convert(b"", least=0)

    async def _convert(self, data: bytes, least: int) -> bytes:
        received, frame_bytes = self._rest + data, self._shape.width * self._shape.channels
        n_frames = len(received) // frame_bytes
        if n_frames < least:
            n_frames = 0
        whole, self._rest = received[: n_frames * frame_bytes], received[n_frames * frame_bytes :]
        if not whole or (self._shape.channels == 1 and self._shape.width == PCM_BYTES):
            return whole
        if self._shape.channels == 1:
            return as_pcm(decode(whole, self._shape.width))
        # Mixing imports librosa the first time, which takes seconds.
        return await asyncio.to_thread(self._mix, whole)

    def _mix(self, whole: bytes) -> bytes:
        samples = decode(whole, self._shape.width).reshape(-1, self._shape.channels)
        return as_pcm(self._downmix.feed(np.ascontiguousarray(samples.T), self._shape.rate))


def decode(data: bytes, width: int) -> NDArray[np.float32]:
    """Samples of this width as ``[n]``, with full scale 1."""
    if width == 1:
        return (np.frombuffer(data, np.uint8).astype(np.float32) - 128) / np.float32(128)
    if width == 3:
        padded = np.zeros((len(data) // 3, 4), np.uint8)
        padded[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
        data, width = padded.tobytes(), 4
    return np.frombuffer(data, f"<i{width}").astype(np.float32) / np.float32(2 ** (8 * width - 1))


def as_pcm(samples: NDArray[np.float32]) -> bytes:
    """``[n]`` with full scale 1 as s16le."""
    scaled = np.rint(samples * np.float32(PCM_FULL_SCALE))
    pcm: NDArray[np.int16] = scaled.clip(-PCM_FULL_SCALE, PCM_FULL_SCALE - 1).astype("<i2")
    return pcm.tobytes()
