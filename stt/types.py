"""Types that all parts share: waveforms, the grid of frames, vocabulary, words, transcripts."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from stt.normalisation import compose
from stt.notices import Report

SAMPLE_RATE = 16_000
"""Hz. Every waveform between `stt.audio` and the engine has this rate."""
PCM_BYTES = 2
"""Of a sample of s16le, as clients send it without a header."""
PCM_FULL_SCALE = 2 ** (8 * PCM_BYTES - 1)

Waveform: TypeAlias = NDArray[np.float32]
"""``[n_samples]`` float32 at `SAMPLE_RATE`, mono, full scale at ±1."""

LogProbs: TypeAlias = NDArray[np.float32]
"""``[n_frames, n_vocab]`` float32, natural logarithms; the exponentials of each row sum to 1."""


@dataclass(frozen=True)
class FrameGrid:
    """The samples behind each frame: frame ``i`` sees ``receptive_samples`` from
    ``i * stride_samples``."""

    stride_samples: int
    receptive_samples: int

    @classmethod
    def of_convolutions(cls, kernels: Sequence[int], strides: Sequence[int]) -> "FrameGrid":
        """The grid of a stack of unpadded convolutions.

        Exact for every length: the nested floors of the stack equal one floor over the products,
        since ``floor(floor(x / a) / b) = floor(x / (a * b))`` for integers a and b.
        """
        stride, receptive = 1, 1
        for kernel, step in zip(kernels, strides, strict=True):
            receptive += (kernel - 1) * stride
            stride *= step
        return cls(stride, receptive)

    def subsampled(self, kernel: int, stride: int, padding: int) -> "FrameGrid":
        """The grid after one more convolution, padded at both ends.

        With padding ``receptive_samples`` is what a first frame needs, not all that it sees.
        """
        more = (kernel - 1 - 2 * padding) * self.stride_samples
        return FrameGrid(self.stride_samples * stride, self.receptive_samples + more)

    def n_frames(self, n_samples: int) -> int:
        """Number of frames in ``n_samples``; 0 if they are too few for one."""
        if n_samples < self.receptive_samples:
            return 0
        return (n_samples - self.receptive_samples) // self.stride_samples + 1

    def n_samples(self, n_frames: int) -> int:
        """Number of samples that ``n_frames`` neighbouring frames cover."""
        return self.receptive_samples + (n_frames - 1) * self.stride_samples

    def frames_in(self, seconds: float) -> int:
        """Number of strides in a time, rounded."""
        return round(seconds * SAMPLE_RATE / self.stride_samples)

    def window_samples(self, window_seconds: float) -> int:
        """Length of a full window, which ends with a frame."""
        return self.n_samples(max(1, self.frames_in(window_seconds)))

    def pieces(self, n_samples: int, n_frames: int) -> Iterator[slice]:
        """Cut a waveform into pieces of ``n_frames`` frames; the last has the rest.

        Together the pieces have exactly the frames of the whole, if each frame depends only on the
        samples that it covers.
        """
        total = self.n_frames(n_samples)
        for first in range(0, total, n_frames):
            n = min(n_frames, total - first)
            begin = first * self.stride_samples
            yield slice(begin, begin + self.n_samples(n))

    def frames(self, seconds: float) -> int:
        """Number of frames that begin within a duration, rounded."""
        return round(seconds * SAMPLE_RATE / self.stride_samples)

    def seconds(self, frame: int) -> float:
        """Start of a frame, in seconds."""
        return frame * self.stride_samples / SAMPLE_RATE


@dataclass(frozen=True)
class Vocabulary:
    """What each column of a model's log-probs writes, and how symbols become words."""

    symbols: tuple[str, ...]
    """Text of each column: a syllable, jamo, letter, word piece or special token."""
    blank: int
    """Column of the CTC blank; most checkpoints use the padding token."""
    delimiter: str = "|"
    """The symbol between words."""
    lower_case: bool = False
    """Whether text is converted to lower case."""
    special: frozenset[int] = frozenset()
    """Columns that write nothing, such as those of ``<s>`` and ``[UNK]``."""
    word_start: str = ""
    """The mark of symbols that begin a word, such as SentencePiece's ``▁``; "" if there is none."""
    symbols_are_words: bool = False
    """Whether a space separates all symbols, as in phoneme checkpoints."""
    cleans_up: bool = False
    """Whether no space is left before punctuation and English contractions: ``it 's`` is written
    ``it's``."""

    def written(self, column: int) -> str:
        """What a column writes, in NFC, with white space where a word ends or begins.

        "" for the blank and for `special` columns.
        """
        symbol = self.symbols[column]
        if column == self.blank or column in self.special:
            return ""
        if symbol == self.delimiter:
            return " "
        if self.word_start:
            symbol = symbol.replace(self.word_start, " ")
        return compose(symbol)


@dataclass(frozen=True)
class Calibration:
    """Corrections of a checkpoint's times and confidence, measured on labelled speech.

    CTC models emit a symbol as a spike somewhere in its sound, often after its start and before its
    end, and their posteriors are overconfident. The defaults correct nothing.
    """

    start_lag_seconds: float = 0.0
    """Median of (first frame of a word's first symbol) - (true start of the word)."""
    end_lag_seconds: float = 0.0
    """Median of (end of the last frame of the last symbol) - (true end of the word)."""
    temperature: float = 1.0
    """Log-probs are divided by this before they become confidence (Guo et al., 2017)."""


@dataclass(frozen=True, slots=True)
class Token:
    """A part of a word: one symbol of the model, or several that compose one character."""

    text: str
    """NFC, never empty."""
    log_posterior: float
    """Natural logarithm, after the temperature; the sum if there are several symbols."""
    times: tuple[float, float] | None = None
    """Start and end in seconds, within those of the word; None if they are not known."""


@dataclass(frozen=True)
class Word:
    """One word and its place in the recording.

    In scripts that are written without spaces, every character is a word.
    """

    text: str
    """NFC, never empty; without white space, unless it is a written form."""
    start: float
    """Seconds from the start of the recording; not before the end of the previous word."""
    end: float
    """Seconds; not before ``start``, not after the end of the recording."""
    confidence: float
    """Probability that all symbols of the word are right, 0 to 1: the product over the symbols of
    the posterior at each one's best frame, after the temperature."""
    tokens: tuple[Token, ...] = ()
    """The parts of the word, as decoded; joined they are ``text``, or ``spoken`` without spaces."""
    space_before: bool = True
    """Whether a space separates the word from the one before, as most scripts have it."""
    spoken: str | None = None
    """What was said, if the text is its written form: ``세 시`` of ``3시``."""
    channel: int | None = None
    """Number of the channel it was said on, from 1; None if channels are mixed."""
    speaker: str | None = None
    """Who said it; None if speakers of a channel were not told apart."""

    @property
    def continued(self) -> str:
        """The text as it follows another word: with the space, if there is one."""
        return f" {self.text}" if self.space_before else self.text


def join_words(words: Iterable[Word]) -> str:
    """The text of consecutive words, without a space at its start; "" if there are none."""
    return "".join(word.continued for word in words).removeprefix(" ")


@dataclass(frozen=True)
class Segment:
    """Words of one speaker and channel between two pauses, at least one."""

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
    def channel(self) -> int | None:
        """The channel of its words."""
        return self.words[0].channel

    @property
    def speaker(self) -> str | None:
        """The speaker of its words."""
        return self.words[0].speaker

    @property
    def text(self) -> str:
        """The words, joined."""
        return join_words(self.words)


@dataclass(frozen=True)
class Transcript:
    """All words of a recording, in order of their starts."""

    words: tuple[Word, ...]
    duration_seconds: float
    """Length of the audio."""
    report: Report = field(default_factory=Report)
    """What is missing or doubtful, and which track it is."""
    turns: tuple[Segment, ...] | None = None
    """Who speaks after whom, if speakers were told apart; else None."""

    @property
    def text(self) -> str:
        """The words, joined; "" if there are none. Each turn is a line."""
        if self.turns is None:
            return join_words(self.words)
        return "\n".join(turn.text for turn in self.turns)
