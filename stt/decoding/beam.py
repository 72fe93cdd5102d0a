"""Frames -> words by beam search, with hotwords and a language model."""

from copy import copy
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stt.decoding.words import Emission, WordBuilder
from stt.frames import TopFrames
from stt.types import Calibration, FrameGrid, Word

if TYPE_CHECKING:
    from stt.decoding.search import Model

CHUNK_FRAMES = 250
"""Frames that are searched before what all beams agree on is settled."""
MAX_PENDING_SECONDS = 5.0
"""Beams that disagree with the best about something so old are dropped."""


class BeamDecoder:
    """A `stt.decoding.base.Decoder` that keeps several hypotheses.

    What all of them agree on is settled, so the state stays small, and words leave early. Windows
    of a recording do not reset it.
    """

    def __init__(
        self,
        model: "Model",
        words: WordBuilder,
        *,
        blank: int,
        grid: FrameGrid,
        start_state: int = 0,
        calibration: Calibration | None = None,
    ) -> None:
        """
        Args:
            model: What to search with.
            words: Joins the symbols.
            blank: Column of the blank.
            grid: That of the frames.
            start_state: The language model's context at the start of a text.
            calibration: Its temperature is applied to the confidences.
        """
        from stt.decoding import search  # imports numba

        self._search: Any = search
        self._model = model
        self._words = words
        self._blank = blank
        self._max_pending_frames = grid.frames(MAX_PENDING_SECONDS)
        self._start_state = start_state
        self._temperature = (calibration or Calibration()).temperature
        n_vocab = len(model.writing.ends_before)
        self._scratch = np.full(n_vocab, -np.inf, np.float32), np.zeros(n_vocab, np.float32)
        self._beams = np.zeros(model.limits.n_beams, search.BEAM)
        self._history: NDArray[np.void] = np.zeros(0, search.EMISSION)
        self._n_history = 0
        self._n_frames = 0
        self._n_beams = 0
        self._restart()

    def feed(self, frames: TopFrames) -> list[Word]:
        """See `Decoder.feed`."""
        words: list[Word] = []
        for begin in range(0, len(frames), CHUNK_FRAMES):
            self._advance(frames[begin : begin + CHUNK_FRAMES])
            words += self._settle_agreed()
        return words

    def finish(self) -> list[Word]:
        """See `Decoder.finish`."""
        best, words = self._best(), list[Word]()
        if best["column"] >= 0:
            words = self._emit(int(best["history"]), self._n_history)
            words += self._words.write(_emission(best))
        self._restart()
        return words + self._words.finish(self._n_frames)

    def copy(self) -> "BeamDecoder":
        """See `Decoder.copy`."""
        other = copy(self)
        other._words = self._words.copy()
        other._beams = self._beams.copy()
        other._history = self._history.copy()
        other._scratch = self._scratch[0].copy(), self._scratch[1].copy()
        return other

    def _restart(self) -> None:
        """Begin a text: a single beam without symbols."""
        self._n_beams, self._n_history = 1, 0
        first = self._beams[0]
        for name in ("history", "parent", "column", "first_frame", "last_frame", "spoken"):
            first[name] = -1
        first["key"], first["blank"], first["symbol"] = 1, 0, -np.inf
        first["bonus"], first["in_word"], first["state"] = 0, False, self._start_state
        first["node"], first["hotword"], first["other"] = 0, -1, -1
        first["kept"], first["may_begin"] = 0, True

    def _advance(self, frames: TopFrames) -> None:
        room = self._n_history + self._model.limits.n_beams * len(frames)
        if room > len(self._history):
            history = np.zeros(room, self._search.EMISSION)
            history[: self._n_history] = self._history[: self._n_history]
            self._history = history
        self._n_beams, self._n_history = self._search.advance(
            self._beams, self._n_beams, self._history, self._n_history, frames.columns,
            frames.log_probs, frames.log_norms, self._n_frames, self._blank, self._temperature,
            self._model, *self._scratch,
        )  # fmt: skip
        self._n_frames += len(frames)

    def _settle_agreed(self) -> list[Word]:
        """Emit what all beams agree on, and drop beams that disagree about something old."""
        best = int(self._best()["history"])
        oldest = self._n_frames - self._max_pending_frames
        old = [entry for entry in self._path(best) if self._history[entry]["last_frame"] < oldest]
        if old:
            self._keep_those_with(old[0])
        heads = np.empty(self._n_beams, np.int32)
        depth = int(self._search.common(self._beams, self._n_beams, self._history, heads))
        words = self._emit(best, depth)
        numbers = np.empty(self._n_history, np.int32)
        self._n_history = self._search.compact(
            self._beams, self._n_beams, self._history, self._n_history, depth, numbers
        )
        self._history = self._history[: self._n_history].copy()
        return words

    def _keep_those_with(self, emission: int) -> None:
        """Drop the beams that do not have the symbols up to an emission."""
        key = self._history[emission]["key"]
        heads = self._beams["history"][: self._n_beams].tolist()
        kept = [b for b, head in enumerate(heads) if key in self._history["key"][self._path(head)]]
        self._beams[: len(kept)] = self._beams[kept]
        self._n_beams = len(kept)

    def _best(self) -> np.void:
        """The best beam if the text ended here."""
        endings = self._beams[: self._n_beams].copy()
        totals = self._search.end(endings, self._model)
        best: np.void = endings[totals.argmax()]
        return best

    def _path(self, last: int) -> list[int]:
        """Emissions that are not settled, up to one of them; the latest first."""
        path = []
        while last >= 0:
            path.append(int(last))
            last = self._history[last]["before"]
        return path

    def _emit(self, last: int, depth: int) -> list[Word]:
        """Emit the emissions up to one of them, as far as a depth."""
        words: list[Word] = []
        for entry in reversed(self._path(last)):
            if self._history[entry]["depth"] <= depth:
                words += self._words.write(_emission(self._history[entry]))
        return words


def _emission(entry: np.void) -> Emission:
    return Emission(
        int(entry["column"]), int(entry["first_frame"]), int(entry["last_frame"]),
        float(entry["peak"]), float(entry["posterior"]),
    )  # fmt: skip
