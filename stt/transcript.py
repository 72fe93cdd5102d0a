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
class Calibration:
    """What is known of a checkpoint's habits, measured on speech whose truth is known.

    CTC models emit a symbol as a spike somewhere in its sound, some late, most ends early; and
    their posteriors are surer than they are right. Zeros and one change nothing.
    """

    start_lag_seconds: float = 0.0
    """Median of (first frame of a word's first symbol) - (where the word begins)."""
    end_lag_seconds: float = 0.0
    """Median of (end of the last frame of the last symbol) - (where the word ends)."""
    temperature: float = 1.0
    """What log-probs are divided by before they are read as confidence (Guo et al., 2017)."""


@dataclass(frozen=True)
class Word:
    """One word, with where it stands in the recording."""

    text: str
    """NFC, never empty, no white space in it."""
    start: float
    """Seconds from the start of the recording; not before the end of the word before."""
    end: float
    """Seconds; not before ``start``, and not past the end of the recording."""
    confidence: float
    """The model's probability that every symbol of the word is right: the product over the symbols
    of the posterior at each one's surest frame, after the checkpoint's temperature; 0..1."""


@dataclass(frozen=True)
class Segment:
    """Some consecutive words, at least one: what is said between two pauses."""

    words: tuple[Word, ...]

    @property
    def start(self) -> float:
        """Seconds from the start of the recording to the first word."""
        return self.words[0].start

    @property
    def end(self) -> float:
        """Seconds from the start of the recording to the end of the last word."""
        return self.words[-1].end

    @property
    def text(self) -> str:
        """The words with a single space between them."""
        return " ".join(word.text for word in self.words)


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
