"""Emitted symbols -> words with times and confidences; every decoder ends here."""

from copy import copy, deepcopy
from dataclasses import dataclass

import numpy as np

from stt.decoding.scripts import has_unspaced
from stt.decoding.spelling import SPACE, Speller
from stt.types import SAMPLE_RATE, Calibration, FrameGrid, Token, Word

PAUSE_SECONDS = 0.6
"""A silence this long ends a segment, and a word if no delimiter did; shorter ones are breath and
hesitation."""


@dataclass
class Emission:
    """A symbol that the model emitted, over one or several neighbouring frames."""

    column: int
    """Its column of the vocabulary."""
    first_frame: int
    last_frame: int
    peak: float
    """Highest log-prob in its frames."""
    log_posterior: float
    """Calibrated log-posterior at that frame."""


@dataclass
class _Character:
    """One character, or what one symbol writes, and the emissions behind it."""

    text: str
    """As `Speller.join` joined it."""
    emissions: list[Emission]


@dataclass
class _OpenWord:
    """A word that later emissions may change."""

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
    def first(self) -> Emission:
        """The emission that it begins with."""
        return self.characters[0].emissions[0]

    @property
    def last(self) -> Emission:
        """Its last emission so far."""
        return self.characters[-1].emissions[-1]


class WordBuilder:
    """Joins the emissions of one recording to words, which are returned in order, for good.

    Words end at what the vocabulary separates them with, and at pauses: models emit no separator in
    silence. Every character is a word in scripts without spaces, and in any script if the
    vocabulary has no separator.

    A word is returned when the next one begins, since it cannot end later than that.
    """

    def __init__(
        self, speller: Speller, grid: FrameGrid, calibration: Calibration | None = None
    ) -> None:
        self._speller = speller
        self._grid = grid
        self._calibration = calibration or Calibration()
        self._pause_frames = grid.frames(PAUSE_SECONDS)
        self._word: _OpenWord | None = None
        self._whole: _OpenWord | None = None
        """A finished word whose successor has not begun."""
        self._written_frames = 0
        """Frames up to the end of the last emission in a word; 0 before the first."""
        self._is_delimited = False
        """A space was written after the last word."""
        self._is_apart = True
        """A pause, or the start of the recording, is before the next word."""
        self._after_unspaced = False
        """The last finished word is of a script without spaces."""
        self._end_seconds = 0.0
        """End of the last word that was returned."""

    def write(self, emission: Emission) -> list[Word]:
        """Add the next emission; return the words that no later one can change."""
        words: list[Word] = []
        for piece in self._speller.pieces(emission.column):
            words += self._write(piece, emission)
        return words

    def prolong(self, more: Emission) -> None:
        """Extend the last emission by a run of the same symbol, unless its word has ended."""
        if self._word is None:
            return
        last = self._word.last
        last.last_frame = more.last_frame
        self._written_frames = last.last_frame + 1
        if more.peak > last.peak:
            last.peak, last.log_posterior = more.peak, more.log_posterior

    def finish(self, n_frames: int) -> list[Word]:
        """End the current word and return the words still open; see `Decoder.finish`.

        Args:
            n_frames: Length of the recording so far.
        """
        self._end_word()
        self._is_apart = True
        return self._settle(before_seconds=self._grid.n_samples(n_frames) / SAMPLE_RATE)

    def copy(self) -> "WordBuilder":
        """A builder that continues from the same state."""
        other = copy(self)
        other._word = deepcopy(self._word)
        return other

    def _write(self, piece: str, emission: Emission) -> list[Word]:
        """Add a piece of text; returns the word that it settles, if any."""
        if piece == SPACE:
            self._end_word()
            self._is_delimited = self._written_frames > 0
            return []
        if emission.first_frame - self._written_frames >= self._pause_frames:
            self._end_word()
            self._is_apart = True
        self._written_frames = emission.last_frame + 1
        if self._word is None:
            return self._begin_word(_Character(piece, [emission]))
        word, last = self._word, self._word.characters[-1]
        if (joined := self._speller.join(last.text, piece)) is not None:
            last.text = joined
            last.emissions.append(emission)
            return []
        self._close_syllable(word)
        last = word.characters[-1]
        character = self._take_final(last, piece, emission)
        if self._speller.divides(last.text, character.text, is_unspaced=word.is_unspaced):
            self._end_word()
            return self._begin_word(character)
        word.characters.append(character)
        word.is_unspaced |= has_unspaced(character.text)
        return []

    def _take_final(self, last: _Character, piece: str, emission: Emission) -> _Character:
        """A new character, with the final of the last syllable if it turns out to be an initial."""
        if not self._speller.takes_final(last.text, piece):
            return _Character(piece, [emission])
        initial, last.text = last.text[-1], last.text[:-1]
        return _Character(initial + piece, [last.emissions.pop(), emission])

    def _close_syllable(self, word: _OpenWord) -> None:
        """Give a lone initial, which no vowel followed, to the syllable before it as its final."""
        if len(word.characters) < 2:
            return
        before, last = word.characters[-2:]
        if (closed := self._speller.close(before.text, last.text)) is not None:
            before.text = closed
            before.emissions += last.emissions
            word.characters.pop()

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
        if self._word is None:
            return
        word, self._word = self._word, None
        self._close_syllable(word)
        word.characters = [
            each for each in word.characters if not self._speller.is_stray(each.text)
        ]
        if word.characters:
            self._after_unspaced = word.is_unspaced
            self._whole = word
        else:  # the next word stands where this one would have
            self._is_delimited, self._is_apart = word.is_delimited, word.is_apart

    def _start_seconds(self, emission: Emission) -> float:
        """Start of a word that begins with this: at the latest, the end of its first frame."""
        frame = emission.first_frame
        corrected = self._grid.seconds(frame) - self._calibration.start_lag_seconds
        return min(max(0.0, corrected), self._grid.seconds(frame + 1))

    def _stop_seconds(self, emission: Emission) -> float:
        """End of a word that ends with this."""
        corrected = self._grid.seconds(emission.last_frame + 1)
        return corrected - self._calibration.end_lag_seconds

    def _settle(self, before_seconds: float) -> list[Word]:
        """Return the finished word, if any, which ends no later than ``before_seconds``."""
        if self._whole is None:
            return []
        word, self._whole = self._whole, None
        start = max(self._end_seconds, self._start_seconds(word.first))
        end = max(start, min(self._stop_seconds(word.last), before_seconds))
        self._end_seconds = end
        tokens = self._tokens(word, start, end)
        confidence = min(1.0, float(np.exp(sum(token.log_posterior for token in tokens))))
        text = "".join(token.text for token in tokens)
        space_before = word.space_before and self._speller.keeps_space(text)
        return [Word(text, start, end, confidence, tokens, space_before)]

    def _tokens(self, word: _OpenWord, start: float, end: float) -> tuple[Token, ...]:
        """One token per character. A symbol of several characters counts in the first.

        The first token has the start of the word, the last has its end, and the others are between.
        """
        texts = self._speller.spell([character.text for character in word.characters])
        tokens, counted, last = [], set[int](), len(texts) - 1
        for index, (text, character) in enumerate(zip(texts, word.characters, strict=True)):
            new = [each for each in character.emissions if id(each) not in counted]
            counted.update(map(id, new))
            if index:
                start = min(end, max(start, self._start_seconds(character.emissions[0])))
            stop = self._stop_seconds(character.emissions[-1])
            stop = end if index == last else max(start, min(stop, end))
            tokens.append(Token(text, sum(each.log_posterior for each in new), (start, stop)))
        return tuple(tokens)
