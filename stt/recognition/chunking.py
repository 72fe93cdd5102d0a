"""Cuts a stream of samples into windows: all arithmetic of long audio.

A model sees one window at a time. Where a window ends within speech, the frames near that edge
lack context on one side, so only the *core* of each window is kept. The cores of such neighbours
meet without gap or overlap::

    window 0   |==== core ====|context|
    window 1         |context|=== core ===|context|
    window 2                      |earlier audio|context|== core ==|

Such a core ends at the quietest moment of the last seconds before the right context, which is
seldom inside a word. Two windows never agree to the frame on the position of a symbol; between
words this does no harm.

Silence needs no context. So a window rather ends in a pause, where the next one begins, and long
pauses are in no window at all::

    speech     aaaaa aaaaaaa       bbbb bb   ccccccc cccc
    windows   |==== core ====|    |= core =|== core ======|

Where speech pauses is a detector's word (`stt.activity`). Without one, and in speech without
pauses, all windows but the last have the same length, since processors are fastest on shapes that
they know. The last one has at least half of it: a model hears little in a second of speech.

Windows begin at multiples of the frame stride, so that their frames are exactly the frames of one
forward over the whole recording.
"""

from dataclasses import dataclass

import numpy as np

from stt.activity.base import CHUNK_SAMPLES, Detector
from stt.activity.pauses import Pauses
from stt.types import SAMPLE_RATE, FrameGrid, Waveform

QUIET_SECONDS = 0.2
"""Loudness is averaged over this time."""
KEPT_SECONDS = 0.4
"""So much of a pause is computed beside the speech around it: words begin and end softly."""
SKIPPED_SECONDS = 1.0
"""What else a pause has is left out if it is as long as this."""
CUT_SECONDS = 0.3
"""A pause of this length separates two windows without context."""


@dataclass(frozen=True)
class Window:
    """A piece of a recording for one forward."""

    waveform: Waveform
    core: slice
    """The frames of the window that are kept."""
    first_frame: int
    """Index of the core's first frame in the whole recording."""
    silent_before: int = 0
    """Frames just before the core that no window has, since nobody speaks there."""
    channel: int = 0
    """See `stt.recognition.channels`."""


@dataclass(frozen=True)
class _Silence:
    """Frames that are not computed."""

    begin: int
    end: int
    is_open: bool
    """It may go on."""


class WindowCutter:
    """Cuts blocks of samples into windows as they arrive.

    Holds two windows and a block at most, and with a detector the same samples once more.
    ``feed`` every block, then ``finish`` once. A recording no longer than a window stays whole, to
    the last sample, so that its text is exactly that of one forward, unless it has long pauses.
    """

    def __init__(
        self,
        grid: FrameGrid,
        *,
        window_seconds: float,
        context_seconds: float,
        cut_search_seconds: float = 0.0,
        detector: Detector | None = None,
    ) -> None:
        """Without a detector nothing is a pause."""
        self._grid = grid
        self._window_frames = grid.n_frames(grid.window_samples(window_seconds))
        self._context_frames = grid.frames_in(context_seconds)
        self._search_frames = grid.frames_in(cut_search_seconds)
        if self._window_frames - 2 * self._context_frames - self._search_frames < 1:
            raise ValueError("window_seconds must exceed 2 * context_seconds + cut_search_seconds")
        self._pauses = Pauses(detector) if detector else None
        self._blocks: list[Waveform] = []
        self._first_frame = 0
        """Frame at which the held blocks begin, as did the previous window."""
        self._window_frame = 0
        """Frame at which the next window begins."""
        self._core_frame = 0
        """First frame that no core and no silence has covered yet."""
        self._covered_frame = 0
        """Where the last core ended."""
        self._is_whole = True
        """Nothing has been cut or left out yet."""
        self._is_in_speech = False
        """The last cut was not in a pause."""
        self.n_samples = 0
        """Samples fed so far."""

    def feed(self, block: Waveform) -> list[Window]:
        """Add samples; return the windows that are now known not to be the last."""
        self._blocks.append(block)
        self.n_samples += len(block)
        if self._pauses:
            self._pauses.feed(block)
        return self._cut(self._grid.n_frames(self.n_samples), is_last=False)

    def finish(self) -> list[Window]:
        """End the input; return the last windows, none if there is no frame, or only silence."""
        n_frames = self._grid.n_frames(self.n_samples)
        if self._pauses:
            self._pauses.finish()
        windows = self._cut(n_frames, is_last=True)
        if n_frames == self._core_frame:
            return windows
        if self._is_whole:
            return [Window(self._joined(), slice(0, n_frames), 0)]
        begin = self._window_frame
        if self._is_in_speech:
            begin = max(self._first_frame, min(begin, n_frames - self._window_frames // 2))
        return [*windows, self._window(begin, n_frames, n_frames)]

    def _cut(self, n_frames: int, *, is_last: bool) -> list[Window]:
        """Cut all windows that can be cut by now."""
        windows: list[Window] = []
        while True:
            silence = self._next_silence(n_frames, is_last)
            full = self._window_frame + self._window_frames
            # `>`, not `>=`: `finish` cuts the last window.
            if silence and silence.begin <= min(full, n_frames):
                if self._is_whole and self._is_all_silent(silence, n_frames):
                    return windows
                if silence.begin > self._core_frame:
                    windows.append(self._window(self._window_frame, silence.begin, silence.begin))
                self._begin_in_pause(silence.end)
                if silence.is_open:
                    return windows
            elif n_frames > full and (is_last or not self._may_pause(full)):
                windows.append(self._cut_full())
            else:
                return windows

    def _is_all_silent(self, silence: _Silence, n_frames: int) -> bool:
        """Whether nothing but silence was heard, in at most a window: that is computed, once."""
        return silence.begin == 0 and silence.is_open and n_frames <= self._window_frames

    def _may_pause(self, full: int) -> bool:
        """Whether a pause that has begun may become silence before a full window ends.

        What is cut must not depend on how much audio has arrived.
        """
        kept, stride = round(KEPT_SECONDS * SAMPLE_RATE), self._grid.stride_samples
        pause = self._pauses.open_pause() if self._pauses else None
        return pause is not None and pause.begin + kept <= full * stride

    def _next_silence(self, n_frames: int, is_last: bool) -> _Silence | None:
        """The first frames behind the last core that need not be computed."""
        if not self._pauses:
            return None
        kept, stride = round(KEPT_SECONDS * SAMPLE_RATE), self._grid.stride_samples
        enough = self._grid.frames(SKIPPED_SECONDS)
        at_least = enough * stride + (0 if is_last else kept)
        for pause in self._pauses.after(self._core_frame * stride, at_least):
            begin = -(-(pause.begin + kept) // stride) if pause.begin else 0
            end = (pause.end - kept) // stride
            if pause.is_open and is_last:
                end = n_frames
            if end - begin >= enough and end > self._core_frame:
                return _Silence(max(begin, self._core_frame), end, pause.is_open)
        return None

    def _cut_full(self) -> Window:
        """A full window, or one that ends in the last pause before it is full."""
        full = self._window_frame + self._window_frames
        if (pause_frame := self._last_pause(full)) is not None:
            window = self._window(self._window_frame, pause_frame, pause_frame)
            self._begin_in_pause(pause_frame)
            return window
        core_end = self._choose_cut()
        window = self._window(self._window_frame, full, core_end)
        self._forget_before(self._window_frame)
        self._window_frame = core_end - self._context_frames
        self._is_whole, self._is_in_speech = False, True
        return window

    def _last_pause(self, full: int) -> int | None:
        """The middle of the last pause in the second half of the next window."""
        if not self._pauses:
            return None
        stride, enough = self._grid.stride_samples, round(CUT_SECONDS * SAMPLE_RATE)
        first = max(self._core_frame + 1, full - self._window_frames // 2)
        full -= self._grid.frames(CHUNK_SAMPLES / SAMPLE_RATE)  # the last chunk may be unknown
        for pause in self._pauses.last_after(first * stride, at_least=enough):
            begin, end = max(pause.begin, first * stride), min(pause.end, full * stride)
            if end - begin >= enough:
                return (begin + end) // 2 // stride
        return None

    def _begin_in_pause(self, frame: int) -> None:
        """Let the next window and its core begin here; nothing before it is needed any more."""
        self._forget_before(frame)
        self._window_frame = self._core_frame = frame
        self._is_whole = self._is_in_speech = False

    def _window(self, begin: int, end: int, core_end: int) -> Window:
        offset = (begin - self._first_frame) * self._grid.stride_samples
        length = self._grid.n_samples(end - begin)
        core = slice(self._core_frame - begin, core_end - begin)
        silent_before = self._core_frame - self._covered_frame
        window = Window(
            self._joined()[offset : offset + length], core, self._core_frame, silent_before
        )
        self._core_frame = self._covered_frame = core_end
        return window

    def _choose_cut(self) -> int:
        """The frame at which the next core ends: the quietest one in the search range."""
        last = self._window_frame + self._window_frames - self._context_frames
        if self._search_frames == 0:
            return last
        held, stride = self._joined(), self._grid.stride_samples
        return quietest_frame(held, self._first_frame, last - self._search_frames, last, stride)

    def _joined(self) -> Waveform:
        if len(self._blocks) != 1:
            self._blocks = [np.concatenate(self._blocks)]
        return self._blocks[0]

    def _forget_before(self, frame: int) -> None:
        samples = (frame - self._first_frame) * self._grid.stride_samples
        self._blocks = [self._joined()[samples:].copy()]
        self._first_frame = frame
        if self._pauses:
            self._pauses.forget_before(frame * self._grid.stride_samples)


def quietest_frame(
    samples: Waveform, samples_frame: int, first: int, last: int, stride_samples: int
) -> int:
    """The frame from ``first`` to ``last`` with the quietest surroundings.

    Args:
        samples: Begin at frame ``samples_frame`` and include ``first`` and ``last``.
    """
    # Stop consonants are silent too, but short, so loudness is averaged over several frames.
    n_quiet = max(1, round(QUIET_SECONDS * SAMPLE_RATE / stride_samples))
    begin = (first - n_quiet // 2 - samples_frame) * stride_samples
    around = samples[max(0, begin) : begin + (last - first + n_quiet) * stride_samples]
    whole = len(around) // stride_samples * stride_samples
    energies = np.square(around[:whole].reshape(-1, stride_samples)).mean(axis=1, dtype=np.float64)
    loudness = np.convolve(energies, np.ones(n_quiet) / n_quiet, mode="valid")
    # The last of equally quiet frames gives the longest core.
    quietest = len(loudness) - 1 - int(loudness[::-1].argmin())
    return min(last, first + quietest)
