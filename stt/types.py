"""What all parts share: waveforms, frames and their grid, vocabulary, words, transcripts."""

import unicodedata
from collections.abc import Iterator, Sequence
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
class FrameGrid:
    """Which samples a model's frames cover: frame ``i`` sees ``receptive`` samples from
    ``i * stride``."""

    stride_samples: int
    receptive_samples: int

    @classmethod
    def of_convolutions(cls, kernels: Sequence[int], strides: Sequence[int]) -> "FrameGrid":
        """The grid of unpadded convolutions stacked on each other.

        Exact for every length: nested floors of a convolution stack equal one floor over the
        products, since ``floor(floor(x / a) / b) = floor(x / (a * b))`` for whole a and b.
        """
        stride, receptive = 1, 1
        for kernel, step in zip(kernels, strides, strict=True):
            receptive += (kernel - 1) * stride
            stride *= step
        return cls(stride, receptive)

    def n_frames(self, n_samples: int) -> int:
        """Frames that a waveform of that length has; 0 where it is shorter than one."""
        if n_samples < self.receptive_samples:
            return 0
        return (n_samples - self.receptive_samples) // self.stride_samples + 1

    def n_samples(self, n_frames: int) -> int:
        """Samples that so many neighbouring frames cover."""
        return self.receptive_samples + (n_frames - 1) * self.stride_samples

    def pieces(self, n_samples: int, n_frames: int) -> Iterator[slice]:
        """Cut a waveform so that each piece has ``n_frames`` frames, the last one the rest.

        The frames of all pieces are those of the whole, if a frame depends on nothing but the
        samples that it covers.
        """
        total = self.n_frames(n_samples)
        for first in range(0, total, n_frames):
            n = min(n_frames, total - first)
            begin = first * self.stride_samples
            yield slice(begin, begin + self.n_samples(n))

    def seconds(self, frame: int) -> float:
        """Where a frame begins, in seconds."""
        return frame * self.stride_samples / SAMPLE_RATE


@dataclass(frozen=True)
class Vocabulary:
    """What each column of a model's log-probs stands for."""

    symbols: tuple[str, ...]
    """Text of each column: a syllable, a jamo, a letter or a special token."""
    blank: int
    """Column of the CTC blank; checkpoints of this family use the padding token."""
    delimiter: str = "|"
    """The symbol between words."""
    lower_case: bool = False
    """Write everything in lower case."""

    def is_space(self, column: int) -> bool:
        """Whether the symbol ends a word."""
        symbol = self.symbols[column]
        return symbol == self.delimiter or symbol.isspace()

    def spell(self, columns: list[int]) -> str:
        """The text of one word's symbols; jamo are composed to syllables (NFC)."""
        text = "".join(self.symbols[column] for column in columns)
        text = unicodedata.normalize("NFC", text)
        return text.lower() if self.lower_case else text


@dataclass(frozen=True, eq=False)
class Frames:
    """The best symbol of each frame: all that best-path decoding needs of log-probs.

    An hour of log-probs over 1,205 symbols is 0.9 GB, of these it is 2 MB; so an engine reduces
    them where it computes them, and nothing larger crosses a bus or a wire.
    """

    columns: NDArray[np.int32]
    """``[n_frames]``: the symbol of the highest log-prob."""
    log_probs: NDArray[np.float32]
    """``[n_frames]``: that log-prob, as the model gives it."""
    log_posteriors: NDArray[np.float32]
    """``[n_frames]``: the same after the checkpoint's temperature (`Calibration`)."""

    @classmethod
    def of(cls, log_probs: LogProbs, temperature: float = 1.0) -> "Frames":
        """Reduce ``[n_frames, n_vocab]`` log-probs."""
        columns = log_probs.argmax(axis=1)
        best = np.take_along_axis(log_probs, columns[:, None], axis=1)
        # log(exp(best / t) / sum(exp(log_probs / t))), with the largest exponent made 0.
        others = np.exp((log_probs - best) / np.float32(temperature)).sum(axis=1)
        return cls(
            columns.astype(np.int32),
            best[:, 0].astype(np.float32),
            -np.log(others, dtype=np.float32),
        )

    def __len__(self) -> int:
        return len(self.columns)

    def __getitem__(self, frames: slice) -> "Frames":
        return Frames(self.columns[frames], self.log_probs[frames], self.log_posteriors[frames])


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


@dataclass(frozen=True, slots=True)
class Token:
    """What of a word the model emitted as one symbol, or as several that make one character."""

    text: str
    """NFC, never empty."""
    log_posterior: float
    """Natural logarithm, after the checkpoint's temperature; a sum where there were several."""


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
    tokens: tuple[Token, ...] = ()
    """The word in pieces, as the decoder found them; joined they are ``text``."""


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
