"""Frames -> words, by greedy CTC decoding.

A CTC model (Graves et al., 2006) emits one symbol per frame, a *blank* if there is nothing new. The
best path becomes text by merging repeats and dropping blanks: ``h h _ e l _ l o`` is "hello".
"""

import unicodedata
from copy import copy
from dataclasses import dataclass

import numpy as np

from stt.types import SAMPLE_RATE, Calibration, FrameGrid, Frames, Token, Vocabulary, Word


@dataclass
class _Symbol:
    """One emitted symbol: its frames, and its highest log-prob."""

    column: int
    first_frame: int
    last_frame: int
    peak: float
    """Highest log-prob in the run of frames."""
    log_posterior: float
    """Calibrated log-posterior at that frame."""


class GreedyDecoder:
    """Best-path decoding of one recording; words are returned in order and never change.

    Joined by spaces, they equal transformers' ``processor.batch_decode`` of the argmax of the same
    frames, in NFC and with runs of spaces collapsed.

    A word is returned when the next one begins, since it cannot end later than that.
    """

    def __init__(
        self, vocabulary: Vocabulary, grid: FrameGrid, calibration: Calibration | None = None
    ) -> None:
        self._vocabulary = vocabulary
        self._grid = grid
        self._calibration = calibration or Calibration()
        self._n_frames = 0
        self._previous = vocabulary.blank
        self._word: list[_Symbol] = []
        self._whole: list[_Symbol] = []
        """A finished word whose successor has not begun."""
        self._end_seconds = 0.0
        """End of the last word that was returned."""

    def feed(self, frames: Frames) -> list[Word]:
        """Add the next frames, maybe none; return the words that no later frame can change."""
        if not len(frames):
            return []
        best = frames.columns
        # A run of equal symbols is one symbol, even across two feeds.
        starts = np.flatnonzero(np.diff(best, prepend=best[0] + 1))
        ends = np.append(starts[1:], len(best))
        words: list[Word] = []
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            column = int(best[start])
            if column != self._vocabulary.blank:
                if self._vocabulary.is_space(column):
                    self._end_word()
                else:
                    symbol = self._read_run(frames, column, start, end)
                    if start == 0 and column == self._previous:
                        self._prolong(symbol)
                    else:
                        words += self._begin_or_continue_word(symbol)
            self._previous = column
        self._n_frames += len(best)
        return words

    def finish(self) -> list[Word]:
        """End the current word and return the words still open.

        May also be called in a pause: frames fed later start a new word.
        """
        self._end_word()
        return self._settle(before_seconds=self._grid.n_samples(self._n_frames) / SAMPLE_RATE)

    def copy(self) -> "GreedyDecoder":
        """A decoder that continues from the same state, to preview unsettled words."""
        other = copy(self)
        other._word = [copy(symbol) for symbol in self._word]
        return other

    def _read_run(self, frames: Frames, column: int, start: int, end: int) -> _Symbol:
        surest = start + int(frames.log_probs[start:end].argmax())
        return _Symbol(
            column=column,
            first_frame=self._n_frames + start,
            last_frame=self._n_frames + end - 1,
            peak=float(frames.log_probs[surest]),
            log_posterior=float(frames.log_posteriors[surest]),
        )

    def _prolong(self, more: _Symbol) -> None:
        """Extend the run that the last feed ended with."""
        symbol = self._word[-1]
        symbol.last_frame = more.last_frame
        if more.peak > symbol.peak:
            symbol.peak, symbol.log_posterior = more.peak, more.log_posterior

    def _begin_or_continue_word(self, symbol: _Symbol) -> list[Word]:
        settled = []
        if not self._word:
            settled = self._settle(before_seconds=self._start_seconds(symbol))
        self._word.append(symbol)
        return settled

    def _end_word(self) -> None:
        if self._word:
            self._whole, self._word = self._word, []

    def _start_seconds(self, symbol: _Symbol) -> float:
        """Start of a word whose first symbol this is: at the latest, the end of its first frame."""
        corrected = self._grid.seconds(symbol.first_frame) - self._calibration.start_lag_seconds
        return min(max(0.0, corrected), self._grid.seconds(symbol.first_frame + 1))

    def _settle(self, before_seconds: float) -> list[Word]:
        """Return the finished word, if any, which ends no later than ``before_seconds``."""
        symbols, self._whole = self._whole, []
        text = self._vocabulary.spell([symbol.column for symbol in symbols])
        if not text:
            return []
        start = max(self._end_seconds, self._start_seconds(symbols[0]))
        end = self._grid.seconds(symbols[-1].last_frame + 1) - self._calibration.end_lag_seconds
        self._end_seconds = end = max(start, min(end, before_seconds))
        log_posterior = sum(symbol.log_posterior for symbol in symbols)
        confidence = min(1.0, float(np.exp(log_posterior)))
        return [Word(text, start, end, confidence, self._tokens(symbols))]

    def _tokens(self, symbols: list[_Symbol]) -> tuple[Token, ...]:
        """One token per symbol, but one for all symbols that compose a character, as jamo do."""
        tokens: list[Token] = []
        for symbol in symbols:
            text = self._vocabulary.spell([symbol.column])
            before = tokens[-1].text if tokens else ""
            joined = unicodedata.normalize("NFC", before + text)
            if tokens and (not text or len(joined) < len(before) + len(text)):
                log_posterior = tokens[-1].log_posterior + symbol.log_posterior
                tokens[-1] = Token(joined, log_posterior)
            elif text:
                tokens.append(Token(text, symbol.log_posterior))
        return tuple(tokens)
