"""Sample recordings, as whole chunks."""

from pathlib import Path

import numpy as np

from stt.activity.base import CHUNK_SAMPLES
from stt.audio.reading import read_audio
from stt.types import Waveform

SAMPLES = Path(__file__).parents[3] / "samples"


def clip(name: str) -> Waveform:
    """A recording of ``samples/``."""
    with (SAMPLES / name).open("rb") as file:
        waveform = np.concatenate(list(read_audio(file, max_seconds=60)))
    return waveform[: len(waveform) // CHUNK_SAMPLES * CHUNK_SAMPLES]
