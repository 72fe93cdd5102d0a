"""From log-probs to words: what a CTC checkpoint's symbols are, and greedy decoding of them.

A CTC model (Graves et al., 2006) emits one symbol a frame, a *blank* where there is nothing new.
The best path is read by merging repeats and dropping blanks, so ``h h _ e l _ l o`` is "hello".
"""

import unicodedata
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from stt.transcript import LogProbs, Word
from stt.windows import FrameGrid


@dataclass(frozen=True)
class Vocabulary:
    """What each column of the log-probs stands for."""

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


class Decoder(Protocol):
    """Turns the frames of one recording into words, as they come."""

    def feed(self, log_probs: LogProbs) -> list[Word]:
        """Take the next frames; return the words that no later frame can change."""
        ...

    def finish(self) -> list[Word]:
        """No more frames: return the words still open."""
        ...


@dataclass
class _Symbol:
    """One emitted symbol: where it was seen, and how sure the model was at best."""

    column: int
    first_frame: int
    last_frame: int
    log_prob: float


class GreedyDecoder:
    """Best-path decoding; the words of `feed` and `finish` are final and in order.

    Joined by spaces they are the text that transformers' ``processor.batch_decode`` gives for the
    argmax of the same frames, in NFC and with runs of spaces made one.
    """

    def __init__(self, vocabulary: Vocabulary, grid: FrameGrid) -> None:
        self._vocabulary = vocabulary
        self._grid = grid
        self._n_frames = 0
        self._previous = vocabulary.blank
        self._word: list[_Symbol] = []

    def feed(self, log_probs: LogProbs) -> list[Word]:
        """See `Decoder`. ``log_probs`` may have any number of frames, 0 too."""
        if not len(log_probs):
            return []
        best = log_probs.argmax(axis=1)
        best_log_probs = log_probs[np.arange(len(best)), best]
        # A run of equal symbols is one; a run that began in the last feed goes on here.
        starts = np.flatnonzero(np.diff(best, prepend=best[0] + 1))
        ends = np.append(starts[1:], len(best))
        words = []
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            column = int(best[start])
            peak = float(best_log_probs[start:end].max())
            first, last = self._n_frames + start, self._n_frames + end - 1
            if start == 0 and column == self._previous:
                self._prolong(column, last, peak)
            elif column != self._vocabulary.blank:
                if self._vocabulary.is_space(column):
                    words += self._close_word()
                else:
                    self._word.append(_Symbol(column, first, last, peak))
            self._previous = column
        self._n_frames += len(best)
        return words

    def finish(self) -> list[Word]:
        """See `Decoder`."""
        return self._close_word()

    def _prolong(self, column: int, last_frame: int, log_prob: float) -> None:
        if self._word and self._word[-1].column == column:
            symbol = self._word[-1]
            symbol.last_frame = last_frame
            symbol.log_prob = max(symbol.log_prob, log_prob)

    def _close_word(self) -> list[Word]:
        symbols, self._word = self._word, []
        text = self._vocabulary.spell([symbol.column for symbol in symbols])
        if not text:
            return []
        posteriors = np.exp([symbol.log_prob for symbol in symbols])
        return [
            Word(
                text=text,
                start=self._grid.seconds(symbols[0].first_frame),
                end=self._grid.seconds(symbols[-1].last_frame + 1),
                confidence=float(posteriors.mean()),
            )
        ]
