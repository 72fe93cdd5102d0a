"""Live speech -> utterances: which samples to compute, and which words are settled.

A live stream is transcribed while it arrives, so the same frames are computed several times, each
time with more audio after them. Each computation is a *look*::

    settled ...|context|==== unsettled ====|            a look
    settled ...|context|==== unsettled =======|         the next one, a step later
    settled .................|context|= unsettled =|    after an utterance has ended

A look covers the unsettled frames and some context before them. Its words are provisional until a
pause ends the utterance, or until the stretch fills a window and is cut at its quietest moment.
Then the frames before the cut are settled and never computed again.

Which words settle depends only on the samples, not on how they are cut into blocks or on the speed
of the model. Looks end at multiples of a step. If the model is slow, one look covers many steps;
its frames then only show at which step the utterance *would have ended*, and the stretch up to that
step is computed again, exactly as a fast model would have done.

Steps in which a detector (`stt.activity`) hears no speech need no look.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stt.activity.base import Detector
from stt.activity.detectors import SilenceDetector
from stt.activity.pauses import Pauses
from stt.decoding.factory import Opened
from stt.decoding.words import PAUSE_SECONDS
from stt.frames import DecodableFrames
from stt.recognition.chunking import quietest_frame
from stt.recognition.writer import AsSpoken, Writer
from stt.types import FrameGrid, Vocabulary, Waveform, Word

MARGIN_SECONDS = 0.2
"""A pause does not count in the last frames of a look: they may turn into speech."""
KEPT_SECONDS = 1.0
"""In silence this much stays unsettled, as a word may have begun in it."""
LONG_SECONDS, HESITATION_SECONDS = 6.0, 0.2
"""Stretches of ``LONG_SECONDS`` are cut at a silence of ``HESITATION_SECONDS``, which does not end
the word: the cost of a look grows with the stretch."""
BEFORE_SPEECH_SECONDS = 0.4
"""This much of a pause stays unsettled: a word may begin softly, before a detector hears it."""


@dataclass(frozen=True)
class StreamingConfig:
    """Lengths for the processing of a stream, in frames."""

    step: int
    window: int
    context: int
    search: int
    pause: int
    margin: int
    kept: int
    long: int
    hesitation: int
    before_speech: int

    @classmethod
    def of_seconds(
        cls, grid: FrameGrid, *, step: float, window: float, context: float, search: float
    ) -> "StreamingConfig":
        """Convert from seconds; the step shrinks if it does not fit into the window."""
        frames = grid.frames
        room = frames(window) - 2 * frames(context) - 1
        return cls(
            step=max(1, min(frames(step), room)),
            window=frames(window),
            context=frames(context),
            search=frames(search),
            pause=frames(PAUSE_SECONDS),
            margin=frames(MARGIN_SECONDS),
            kept=frames(KEPT_SECONDS),
            long=frames(LONG_SECONDS),
            hesitation=frames(HESITATION_SECONDS),
            before_speech=frames(BEFORE_SPEECH_SECONDS),
        )


class Endpointer:
    """Accepts samples as they arrive, chooses what to compute, and settles words.

    ``feed`` any blocks; while ``due`` returns a waveform, compute it and ``take`` its frames. After
    the last block ``end`` the stream and repeat that. Holds the samples of a window, and those not
    computed yet.
    """

    def __init__(
        self,
        grid: FrameGrid,
        vocabulary: Vocabulary,
        opened: Opened[Any],
        config: StreamingConfig,
        writer: Writer | None = None,
        detector: Detector | None = None,
    ) -> None:
        """Without a detector only digital silence is known to be no speech."""
        self._grid = grid
        self._vocabulary = vocabulary
        self._decoder = opened.decoder
        self._writer = writer or AsSpoken()
        self._want = opened.want
        self._config = config
        written = map(vocabulary.written, range(len(vocabulary.symbols)))
        self._is_between_words: NDArray[np.bool_] = np.array([not text.strip() for text in written])
        """``[n_vocab]``: true for columns that write nothing, or white space."""
        self._pauses = Pauses(detector or SilenceDetector())
        self._blocks: list[Waveform] = []
        self._held_frame = 0
        """Frame at which the held samples begin."""
        self.n_samples = 0
        """Samples fed so far."""
        self._settled = 0
        """DecodableFrames before this one are settled."""
        self._checked = 0
        """Steps up to this frame are done."""
        self._is_open = False
        """The decoder holds a word of settled frames."""
        self._asked: _Asked | None = None
        """The request that `due` returned, while it is being computed."""
        self._computed: _Asked | None = None
        self._exact = self._look = _Look(0, self._blanks(0))
        """The last look, which answers ``_computed``, and the one that reaches furthest."""
        self._ended = self._done = False
        self._words: list[Word] = []

    @property
    def _n_frames(self) -> int:
        return self._grid.n_frames(self.n_samples)

    @property
    def behind_seconds(self) -> float:
        """Length of the audio that was fed but not computed."""
        return self._grid.seconds(max(0, self._n_frames - max(self._look.end, self._checked)))

    def feed(self, block: Waveform) -> None:
        """Add the next ``[n]`` samples; takes 3 ms per quiet second with a detector."""
        self._pauses.feed(block)
        # Listen now, which may be in a thread; `due` would do it on the event loop.
        list(self._pauses.after(0))
        self._blocks.append(block)
        self.n_samples += len(block)

    def end(self) -> None:
        """End the input."""
        self._pauses.finish()
        self._ended = True

    def due(self) -> Waveform | None:
        """Return the samples to compute next; None if more are needed, or if all is done.

        Also settles what needs no further computation.
        """
        self._asked = asked = self._walk()
        if asked is None:
            return None
        n_samples = self._grid.n_samples(asked.end - asked.begin)
        return self._samples(asked.begin, None if asked.to_the_end else n_samples)

    def take(self, frames: DecodableFrames) -> None:
        """Accept the frames of the waveform that ``due`` returned."""
        assert self._asked is not None  # noqa: S101
        self._computed, self._exact = self._asked, _Look(self._asked.begin, frames)
        if self._exact.end >= self._look.end:
            self._look = self._exact

    def take_settled(self) -> list[Word]:
        """Return the words settled since the last call; they never change."""
        words, self._words = self._words, []
        return words

    def provisional(self) -> list[Word]:
        """Return the words after the settled ones, up to the last look; they may change."""
        decoder = self._decoder.copy()
        frames = self._look.frames_between(self._settled, self._look.end)
        return self._writer.preview(decoder.feed(frames) + decoder.finish())

    def _walk(self) -> "_Asked | None":
        """Advance step by step until something must be computed; return that."""
        step, stride = self._config.step, self._grid.stride_samples
        while not self._done:
            begin = max(0, self._settled - self._config.context)
            last = self._n_frames // step * step
            limit = (begin + self._config.window) // step * step
            end = self._checked + step
            if end > last:
                return self._walk_to_the_end(begin) if self._ended else None
            if self._is_silent(self._settled * stride + self._grid.n_samples(end - self._settled)):
                silent = end - max(step, self._config.before_speech) - self._settled
                self._settle(self._blanks(max(0, silent)), is_pause=False)
                self._checked = end
            elif end > self._look.end:
                # No look reaches this step: compute all samples that there are.
                return _Asked(begin, min(last, limit))
            else:
                exact = self._exact if self._computed == _Asked(begin, end) else None
                look = exact or self._look
                cut = self._find_cut(look.frames_between(self._settled, end), end == limit)
                if cut is not None and cut.has_words and exact is None:
                    return _Asked(begin, end)
                if cut is not None:
                    self._settle(look.frames_between(self._settled, cut.frame), cut.is_pause)
                self._checked = end
        return None

    def _walk_to_the_end(self, begin: int) -> "_Asked | None":
        """Settle the rest after the last step; returns what must be computed first."""
        asked = _Asked(begin, self._n_frames, to_the_end=True)
        if self._n_frames == self._settled or self._is_silent(self._pauses.heard_samples):
            self._settle(self._blanks(self._n_frames - self._settled), is_pause=True)
        elif self._computed == asked:
            rest = self._exact.frames_between(self._settled, self._n_frames)
            self._settle(rest, is_pause=True)
        else:
            return asked
        self._done = True
        return None

    def _find_cut(self, frames: DecodableFrames, is_full: bool) -> "_Cut | None":
        """Where to cut these unsettled frames, or None if that is not known yet.

        ``is_full``: they fill a window, and must be cut somewhere.
        """
        config, begin, end = self._config, self._settled, self._settled + len(frames)
        spoken = np.flatnonzero(~self._is_between_words[frames.best])
        if self._is_open:
            spoken = np.concatenate([[-1], spoken])
        if not len(spoken):
            if len(frames) <= config.kept + config.step and not is_full:
                return None
            return _Cut(end - min(config.kept, len(frames) // 2), False, False)
        gaps = spoken + 1
        ends = np.append(spoken[1:], len(frames))
        pauses = (ends - gaps >= config.pause) & (
            gaps + config.pause + config.margin <= len(frames)
        )
        if pauses.any():
            gap = begin + int(gaps[pauses.argmax()])
            return _Cut(gap + config.pause // 2, True, True)
        hesitations = (ends - gaps >= config.hesitation) & (ends + config.kept <= len(frames))
        if len(frames) >= config.long and hesitations.any():
            last = len(gaps) - 1 - int(hesitations[::-1].argmax())
            return _Cut(begin + int(gaps[last] + ends[last]) // 2, False, True)
        if not is_full:
            return None
        latest = end - config.context
        first = max(begin + 1, latest - config.search)
        return _Cut(
            quietest_frame(
                self._held(), self._held_frame, first, latest, self._grid.stride_samples
            ),
            False,
            True,
        )

    def _settle(self, frames: DecodableFrames, is_pause: bool) -> None:
        """Decode the next frames for good."""
        self._words += self._writer.feed(self._decoder.feed(frames))
        if is_pause:
            self._words += self._writer.feed(self._decoder.finish())
            self._words += self._writer.finish()
            self._is_open = False
        elif not self._is_between_words[frames.best].all():
            self._is_open = True
        self._settled += len(frames)
        begin = max(0, self._settled - self._config.context)
        self._blocks = [self._samples(begin).copy()]
        self._held_frame = begin
        self._pauses.forget_before(begin * self._grid.stride_samples)

    def _is_silent(self, end_sample: int) -> bool:
        """Whether there is no speech from the settled frames to a sample."""
        begin_sample = self._settled * self._grid.stride_samples
        return not self._is_open and self._pauses.cover(begin_sample, end_sample)

    def _blanks(self, n_frames: int) -> DecodableFrames:
        frames: DecodableFrames = self._want.blanks(n_frames, self._vocabulary.blank)
        return frames

    def _samples(self, begin: int, length: int | None = None) -> Waveform:
        """The samples from frame ``begin`` on: ``length`` of them, or all."""
        offset = (begin - self._held_frame) * self._grid.stride_samples
        return self._held()[offset : None if length is None else offset + length]

    def _held(self) -> Waveform:
        if len(self._blocks) != 1:
            self._blocks = [np.concatenate([np.zeros(0, np.float32), *self._blocks])]
        return self._blocks[0]


@dataclass(frozen=True)
class _Asked:
    """DecodableFrames to compute."""

    begin: int
    end: int
    to_the_end: bool = False
    """The last look, which includes the very last sample, as a file's last window does."""


@dataclass(frozen=True, eq=False)
class _Look:
    """Computed frames."""

    begin: int
    frames: DecodableFrames

    @property
    def end(self) -> int:
        return self.begin + len(self.frames)

    def frames_between(self, begin: int, end: int) -> DecodableFrames:
        """The frames in a range, as far as it is covered."""
        return self.frames[max(0, begin - self.begin) : max(0, end - self.begin)]


@dataclass(frozen=True)
class _Cut:
    """Where to cut the unsettled frames."""

    frame: int
    is_pause: bool
    """The utterance and its last word end here."""
    has_words: bool
    """The frames before it hold speech, so they must come from an exact look."""
