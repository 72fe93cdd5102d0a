"""Frames of symbols -> words with times and scores."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from stt.alignment.found import Found
from stt.alignment.levels import Levels
from stt.alignment.spelling import SpelledWord
from stt.alignment.text import GivenText, GivenWord
from stt.alignment.trellis import Trellis
from stt.alignment.words import AlignedCharacter, AlignedSegment, AlignedWord, Span, Status
from stt.types import SAMPLE_RATE, Calibration, FrameGrid

_SHORTEST_EXTRA_SECONDS = 0.3
"""Shorter speech that is not in the text is not worth a report."""


class Timer:
    """Gives the words of one text their times."""

    def __init__(
        self,
        trellis: Trellis,
        found: Found,
        grid: FrameGrid,
        calibration: Calibration,
        levels: Levels,
        n_frames: int,
    ) -> None:
        self._trellis, self._found = trellis, found
        self._grid, self._calibration, self._levels = grid, calibration, levels
        self._end = grid.n_samples(n_frames) / SAMPLE_RATE
        self._losses = found.other_losses(trellis.first_symbols)

    def segments(
        self, text: GivenText, spelled: Sequence[SpelledWord]
    ) -> tuple[AlignedSegment, ...]:
        """The segments of the text, with all words in order."""
        units = np.full(len(spelled), -1)
        units[self._trellis.words_of_units] = np.arange(self._trellis.n_units)
        spoken = [unit for unit in range(self._trellis.n_units) if self._is_spoken(unit)]
        bounds = self._bounds(spoken)
        words: list[AlignedWord] = []
        before, next_unit = 0.0, 0
        for given, spelling, unit in zip(text.words, spelled, units.tolist(), strict=True):
            if unit in bounds:
                word = self._spoken(given, spelling, unit, bounds[unit])
            else:
                word = self._unspoken(given, spelling, before, next_unit, bounds)
            if unit >= 0:
                next_unit = unit + 1
            words.append(word)
            before = word.end
        return tuple(
            AlignedSegment(
                tuple(words[each.first_word : each.first_word + each.n_words]), each.lines
            )
            for each in text.segments
        )

    def score(self, segments: Sequence[AlignedSegment], spelled: Sequence[SpelledWord]) -> float:
        """The mean score of the words that can be heard, weighted by their symbols."""
        words = [word for segment in segments for word in segment.words]
        weights = [len(each.columns) for each in spelled]
        total = sum(weights)
        weighted = sum(weight * word.score for weight, word in zip(weights, words, strict=True))
        return weighted / total if total else 0.0

    def not_in_text(self) -> tuple[Span, ...]:
        """Speech that is not in the text."""
        spans = []
        for unit, (first, last) in enumerate(self._found.star_frames.tolist()):
            if first < 0 or self._trellis.free_stars[unit]:
                continue
            span = Span(self._grid.seconds(first), min(self._grid.seconds(last + 1), self._end))
            if span.end - span.start >= _SHORTEST_EXTRA_SECONDS:
                spans.append(span)
        return tuple(spans)

    def _symbols(self, unit: int) -> slice:
        return slice(*self._trellis.first_symbols[unit : unit + 2].tolist())

    def _is_spoken(self, unit: int) -> bool:
        return bool(self._found.first_frames[self._trellis.first_symbols[unit]] >= 0)

    def _bounds(self, spoken: Sequence[int]) -> dict[int, tuple[float, float]]:
        """Start and end of each unit that is spoken: in order, and inside the recording."""
        firsts = [self._found.first_frames[self._symbols(unit).start] for unit in spoken]
        lasts = [self._found.last_frames[self._symbols(unit).stop - 1] for unit in spoken]
        begins = [self._emitted(int(frame)) for frame in firsts]
        ends = [
            max(self._grid.seconds(int(frame) + 1) - self._calibration.end_lag_seconds, begin)
            for frame, begin in zip(lasts, begins, strict=True)
        ]
        starts = []
        before = 0.0
        for index, (begin, end) in enumerate(zip(begins, ends, strict=True)):
            start = self._levels.start(begin, end, earliest=before)
            starts.append(min(max(start, before), self._end))
            # Not the end of this word: its sound, as it is corrected, may seem to overlap the next.
            before = max(starts[-1], self._grid.seconds(int(lasts[index])))
        bounds = {}
        for index, unit in enumerate(spoken):
            latest = starts[index + 1] if index + 1 < len(spoken) else self._end
            end = self._levels.end(starts[index], ends[index], latest=latest)
            bounds[unit] = (starts[index], max(starts[index], min(end, latest)))
        return bounds

    def _emitted(self, frame: int) -> float:
        """When a symbol begins: at the latest, at the end of its first frame."""
        corrected = self._grid.seconds(frame) - self._calibration.start_lag_seconds
        return min(max(0.0, corrected), self._grid.seconds(frame + 1))

    def _spoken(
        self, given: GivenWord, spelling: SpelledWord, unit: int, bounds: tuple[float, float]
    ) -> AlignedWord:
        symbols = self._symbols(unit)
        log_probs = self._found.log_probs[symbols]
        log_score = (float(log_probs.sum()) + float(self._losses[unit])) / len(log_probs)
        characters = self._characters(spelling, symbols.start, bounds)
        return AlignedWord(
            given.text, *bounds, min(1.0, math.exp(log_score)), Status.SPOKEN, characters,
            given.space_before,
        )  # fmt: skip

    def _characters(
        self, spelling: SpelledWord, symbol: int, bounds: tuple[float, float]
    ) -> tuple[AlignedCharacter, ...]:
        """Each character until the next begins. What has no symbol belongs to the one before."""
        texts: list[str] = []
        starts: list[float] = []
        scores: list[float] = []
        lead = ""
        for each in spelling.characters:
            n = len(each.columns)
            if n:
                start = self._emitted(int(self._found.first_frames[symbol]))
                texts.append(lead + each.text)
                starts.append(min(max(start, starts[-1] if starts else bounds[0]), bounds[1]))
                scores.append(
                    min(1.0, math.exp(float(self._found.log_probs[symbol : symbol + n].mean())))
                )
                lead = ""
            elif texts:
                texts[-1] += each.text
            else:
                lead += each.text
            symbol += n
        starts[:1] = [bounds[0]]
        return tuple(
            AlignedCharacter(text, start, end, score)
            for text, start, end, score in zip(
                texts, starts, [*starts[1:], bounds[1]], scores, strict=True
            )
        )

    def _unspoken(
        self,
        given: GivenWord,
        spelling: SpelledWord,
        before: float,
        next_unit: int,
        bounds: Mapping[int, tuple[float, float]],
    ) -> AlignedWord:
        """A word without a time of its own: it takes no time, or that of unknown speech there."""
        start = end = before
        first, last = self._found.star_frames[next_unit].tolist()
        if _status(spelling) == Status.NOT_SPELLED and first >= 0:
            latest = bounds[next_unit][0] if next_unit in bounds else self._end
            start = max(before, min(self._grid.seconds(first), latest))
            end = max(start, min(self._grid.seconds(last + 1), latest))
        return AlignedWord(given.text, start, end, 0.0, _status(spelling), (), given.space_before)


def _status(spelling: SpelledWord) -> Status:
    if spelling.columns:
        return Status.NOT_SPOKEN
    return Status.NOT_SPELLED if spelling.missing else Status.SILENT
