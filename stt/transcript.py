"""What is said in a recording: the words and the arrays they come from."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000
"""Hz. Every waveform between `stt.audio` and the engine has this rate."""

Waveform: TypeAlias = NDArray[np.float32]
"""``[n_samples]`` float32 at `SAMPLE_RATE`, mono, full scale at ±1."""

LogProbs: TypeAlias = NDArray[np.float32]
"""``[n_frames, n_vocab]`` float32, natural logarithms; each row's exponentials sum to 1."""


@dataclass(frozen=True)
class Word:
    """One word, with where it stands in the recording."""

    text: str
    """NFC, never empty, no white space in it."""
    start: float
    """Seconds from the start of the recording to the first frame of the first symbol."""
    end: float
    """Seconds to the end of the last frame of the last symbol; > ``start``."""
    confidence: float
    """Mean over the word's symbols of the posterior at the symbol's surest frame; 0..1."""


@dataclass(frozen=True)
class Transcript:
    """All words of a recording, in order."""

    words: tuple[Word, ...]
    duration_seconds: float
    """Length of the audio that was decoded."""

    @property
    def text(self) -> str:
        """The words with a single space between them; "" where nothing was said."""
        return " ".join(word.text for word in self.words)
