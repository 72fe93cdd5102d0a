"""Frames -> words along the best path.

A CTC model (Graves et al., 2006) emits one symbol per frame, a *blank* if there is nothing new. The
best path becomes text by merging repeats and dropping blanks: ``h h _ e l _ l o`` is "hello".
"""

from copy import copy

import numpy as np

from stt.decoding.spelling import speller_of
from stt.decoding.words import Emission, WordBuilder
from stt.frames import Frames
from stt.types import Calibration, FrameGrid, Vocabulary, Word


class GreedyDecoder:
    """A `stt.decoding.base.Decoder` of the best path.

    Joined, the words equal transformers' ``processor.batch_decode`` of the argmax of the same
    frames, in NFC and with runs of spaces collapsed, except that special tokens are left out, marks
    of SentencePiece become spaces, letters of Hangul are composed (see `Speller`), and a pause
    separates words in scripts that have spaces.
    """

    def __init__(
        self, vocabulary: Vocabulary, grid: FrameGrid, calibration: Calibration | None = None
    ) -> None:
        self._speller = speller_of(vocabulary)
        self._words = WordBuilder(self._speller, grid, calibration)
        self._n_frames = 0
        self._previous = vocabulary.blank

    def feed(self, frames: Frames) -> list[Word]:
        """See `Decoder.feed`."""
        if not len(frames):
            return []
        best = frames.columns
        # A run of equal symbols is one symbol, even across two feeds.
        starts = np.flatnonzero(np.diff(best, prepend=best[0] + 1))
        ends = np.append(starts[1:], len(best))
        words: list[Word] = []
        write, pieces = self._words.write, self._speller.pieces
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            column = int(best[start])
            if pieces(column):
                emission = self._read_run(frames, column, start, end)
                if start == 0 and column == self._previous:
                    self._words.prolong(emission)
                else:
                    words += write(emission)
            self._previous = column
        self._n_frames += len(best)
        return words

    def finish(self) -> list[Word]:
        """See `Decoder.finish`."""
        return self._words.finish(self._n_frames)

    def copy(self) -> "GreedyDecoder":
        """See `Decoder.copy`."""
        other = copy(self)
        other._words = self._words.copy()
        return other

    def _read_run(self, frames: Frames, column: int, start: int, end: int) -> Emission:
        surest = start + int(frames.log_probs[start:end].argmax())
        return Emission(
            column=column,
            first_frame=self._n_frames + start,
            last_frame=self._n_frames + end - 1,
            peak=float(frames.log_probs[surest]),
            log_posterior=float(frames.log_posteriors[surest]),
        )
