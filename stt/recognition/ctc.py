"""Frames -> words, by greedy CTC decoding.

A CTC model (Graves et al., 2006) emits one symbol per frame, a *blank* if there is nothing new. The
best path becomes text by merging repeats and dropping blanks: ``h h _ e l _ l o`` is "hello".
"""

from copy import copy, deepcopy
from dataclasses import dataclass

import numpy as np

from stt.recognition.scripts import has_unspaced
from stt.recognition.segments import PAUSE_SECONDS
from stt.recognition.spelling import SPACE, Speller
from stt.types import SAMPLE_RATE, Calibration, FrameGrid, Frames, Token, Vocabulary, Word


@dataclass
class _Symbol:
    """One emitted symbol: its frames, and its highest log-prob."""

    first_frame: int
    last_frame: int
    peak: float
    """Highest log-prob in the run of frames."""
    log_posterior: float
    """Calibrated log-posterior at that frame."""


@dataclass
class _Character:
    """One character, or what one symbol writes, and the symbols behind it."""

    text: str
    """As `Speller.join` joined it."""
    symbols: list[_Symbol]


@dataclass
class _OpenWord:
    """A word that later frames may change."""

    characters: list[_Character]
    is_unspaced: bool
    """Whether it has characters of a script without spaces."""
    is_delimited: bool
    """Whether a space was written before it."""
    is_apart: bool
    """Whether a pause or the start is before it, and no word of a script without spaces."""

    @property
    def space_before(self) -> bool:
        """Whether it stands after a space."""
        return self.is_delimited or (self.is_apart and not self.is_unspaced)

    @property
    def first(self) -> _Symbol:
        """The symbol that it begins with."""
        return self.characters[0].symbols[0]

    @property
    def last(self) -> _Symbol:
        """Its last symbol so far."""
        return self.characters[-1].symbols[-1]


class GreedyDecoder:
    """Best-path decoding of one recording; words are returned in order and never change.

    Joined, they equal transformers' ``processor.batch_decode`` of the argmax of the same frames, in
    NFC and with runs of spaces collapsed, except that special tokens are left out, marks of
    SentencePiece become spaces, letters of Hangul are composed (see `Speller`), and a pause
    separates words in scripts that have spaces.

    Words end at what the vocabulary separates them with, and at pauses: models emit no separator in
    silence. Every character is a word in scripts without spaces, and in any script if the
    vocabulary has no separator.

    A word is returned when the next one begins, since it cannot end later than that.
    """

    def __init__(
        self, vocabulary: Vocabulary, grid: FrameGrid, calibration: Calibration | None = None
    ) -> None:
        self._speller = Speller(vocabulary)
        self._grid = grid
        self._calibration = calibration or Calibration()
        self._pause_frames = grid.frames(PAUSE_SECONDS)
        self._n_frames = 0
        self._previous = vocabulary.blank
        self._word: _OpenWord | None = None
        self._whole: _OpenWord | None = None
        """A finished word whose successor has not begun."""
        self._written_frames = 0
        """Frames up to the end of the last symbol in a word; 0 before the first."""
        self._is_delimited = False
        """A space was written after the last word."""
        self._is_apart = True
        """A pause, or the start of the recording, is before the next word."""
        self._after_unspaced = False
        """The last finished word is of a script without spaces."""
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
            if pieces := self._speller.pieces(column):
                symbol = self._read_run(frames, start, end)
                if start == 0 and column == self._previous:
                    self._prolong(symbol)
                else:
                    for piece in pieces:
                        words += self._write(piece, symbol)
            self._previous = column
        self._n_frames += len(best)
        return words

    def finish(self) -> list[Word]:
        """End the current word and return the words still open.

        May also be called in a pause: frames fed later start a new word, after a space in scripts
        that have spaces.
        """
        self._end_word()
        self._is_apart = True
        return self._settle(before_seconds=self._grid.n_samples(self._n_frames) / SAMPLE_RATE)

    def copy(self) -> "GreedyDecoder":
        """A decoder that continues from the same state, to preview unsettled words."""
        other = copy(self)
        other._word = deepcopy(self._word)
        return other

    def _read_run(self, frames: Frames, start: int, end: int) -> _Symbol:
        surest = start + int(frames.log_probs[start:end].argmax())
        return _Symbol(
            first_frame=self._n_frames + start,
            last_frame=self._n_frames + end - 1,
            peak=float(frames.log_probs[surest]),
            log_posterior=float(frames.log_posteriors[surest]),
        )

    def _prolong(self, more: _Symbol) -> None:
        """Extend the run that the last feed ended with, unless its word has ended."""
        if self._word is None:
            return
        symbol = self._word.last
        symbol.last_frame = more.last_frame
        self._written_frames = symbol.last_frame + 1
        if more.peak > symbol.peak:
            symbol.peak, symbol.log_posterior = more.peak, more.log_posterior

    def _write(self, piece: str, symbol: _Symbol) -> list[Word]:
        """Add a piece of text; returns the word that it settles, if any."""
        if piece == SPACE:
            self._end_word()
            self._is_delimited = self._written_frames > 0
            return []
        if symbol.first_frame - self._written_frames >= self._pause_frames:
            self._end_word()
            self._is_apart = True
        self._written_frames = symbol.last_frame + 1
        if self._word is None:
            return self._begin_word(_Character(piece, [symbol]))
        word, last = self._word, self._word.characters[-1]
        if (joined := self._speller.join(last.text, piece)) is not None:
            last.text = joined
            last.symbols.append(symbol)
            return []
        character = self._take_final(last, piece, symbol)
        if self._speller.divides(last.text, character.text, is_unspaced=word.is_unspaced):
            self._end_word()
            return self._begin_word(character)
        word.characters.append(character)
        word.is_unspaced |= has_unspaced(character.text)
        return []

    def _take_final(self, last: _Character, piece: str, symbol: _Symbol) -> _Character:
        """A new character, with the final of the last syllable if it turns out to be an initial."""
        if not self._speller.takes_final(last.text, piece):
            return _Character(piece, [symbol])
        initial, last.text = last.text[-1], last.text[:-1]
        return _Character(initial + piece, [last.symbols.pop(), symbol])

    def _begin_word(self, character: _Character) -> list[Word]:
        self._word = _OpenWord(
            [character],
            is_unspaced=has_unspaced(character.text),
            is_delimited=self._is_delimited,
            is_apart=self._is_apart and not self._after_unspaced,
        )
        self._is_delimited = self._is_apart = False
        return self._settle(before_seconds=self._start_seconds(self._word.first))

    def _end_word(self) -> None:
        if self._word is not None:
            self._after_unspaced = self._word.is_unspaced
            self._whole, self._word = self._word, None

    def _start_seconds(self, symbol: _Symbol) -> float:
        """Start of a word whose first symbol this is: at the latest, the end of its first frame."""
        corrected = self._grid.seconds(symbol.first_frame) - self._calibration.start_lag_seconds
        return min(max(0.0, corrected), self._grid.seconds(symbol.first_frame + 1))

    def _settle(self, before_seconds: float) -> list[Word]:
        """Return the finished word, if any, which ends no later than ``before_seconds``."""
        if self._whole is None:
            return []
        word, self._whole = self._whole, None
        start = max(self._end_seconds, self._start_seconds(word.first))
        end = self._grid.seconds(word.last.last_frame + 1) - self._calibration.end_lag_seconds
        self._end_seconds = end = max(start, min(end, before_seconds))
        tokens = self._tokens(word)
        confidence = min(1.0, float(np.exp(sum(token.log_posterior for token in tokens))))
        text = "".join(token.text for token in tokens)
        space_before = word.space_before and self._speller.keeps_space(text)
        return [Word(text, start, end, confidence, tokens, space_before)]

    def _tokens(self, word: _OpenWord) -> tuple[Token, ...]:
        """One token per character. A symbol of several characters counts in the first."""
        texts = self._speller.spell([character.text for character in word.characters])
        tokens, counted = [], set[int]()
        for text, character in zip(texts, word.characters, strict=True):
            new = [symbol for symbol in character.symbols if id(symbol) not in counted]
            counted.update(map(id, new))
            tokens.append(Token(text, sum(symbol.log_posterior for symbol in new)))
        return tuple(tokens)
