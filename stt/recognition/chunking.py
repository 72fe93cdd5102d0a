"""Cuts a stream of samples into overlapping windows: all arithmetic of long audio.

A model sees one window at a time. Frames near an inner edge of a window lack context on one side,
so only the *core* of each window is kept. The cores of neighbouring windows meet without gap or
overlap::

    window 0   |==== core ====|context|
    window 1         |context|=== core ===|context|
    window 2                      |earlier audio|context|== core ==|

All windows of a recording have the same length, unless it is the only one. The last window begins
early enough to be full: real audio is worth more than padding, and processors are fastest on shapes
that they know.

A core ends at the quietest moment of the last seconds before the right context, which is seldom
inside a word. Two windows never agree to the frame on the position of a symbol; between words this
does no harm.

Windows begin at multiples of the frame stride, so that their frames are exactly the frames of one
forward over the whole recording.
"""

from dataclasses import dataclass

import numpy as np

from stt.types import SAMPLE_RATE, FrameGrid, Waveform

QUIET_SECONDS = 0.2
"""Loudness is averaged over this time."""


@dataclass(frozen=True)
class Window:
    """A piece of a recording for one forward."""

    waveform: Waveform
    core: slice
    """The frames of the window that are kept."""
    first_frame: int
    """Index of the core's first frame in the whole recording."""


class WindowCutter:
    """Cuts blocks of samples into windows as they arrive; holds two windows at most.

    ``feed`` every block, then ``finish`` once. A recording no longer than a window stays whole, to
    the last sample, so that its text is exactly that of one forward.
    """

    def __init__(
        self,
        grid: FrameGrid,
        *,
        window_seconds: float,
        context_seconds: float,
        cut_search_seconds: float = 0.0,
    ) -> None:
        self._grid = grid
        self._window_frames = grid.n_frames(grid.window_samples(window_seconds))
        self._context_frames = grid.frames_in(context_seconds)
        self._search_frames = grid.frames_in(cut_search_seconds)
        if self._window_frames - 2 * self._context_frames - self._search_frames < 1:
            raise ValueError("window_seconds must exceed 2 * context_seconds + cut_search_seconds")
        self._blocks: list[Waveform] = []
        self._first_frame = 0
        """Frame at which the held blocks begin, as did the previous window."""
        self._window_frame = 0
        """Frame at which the next window begins."""
        self._core_frame = 0
        """First frame that no core has covered yet."""
        self.n_samples = 0
        """Samples fed so far."""

    def feed(self, block: Waveform) -> list[Window]:
        """Add samples; return the windows that are now known not to be the last."""
        self._blocks.append(block)
        self.n_samples += len(block)
        n_frames = self._grid.n_frames(self.n_samples)
        windows = []
        # `>`, not `>=`: `finish` cuts the last window.
        while n_frames > self._window_frame + self._window_frames:
            core_end = self._choose_cut()
            windows.append(self._window(self._window_frame, core_end))
            self._forget_before(self._window_frame)
            self._window_frame = core_end - self._context_frames
        return windows

    def finish(self) -> list[Window]:
        """End the input; return the last window, or none if there is less than a frame."""
        n_frames = self._grid.n_frames(self.n_samples)
        if n_frames == 0:
            return []
        if self._window_frame == 0:
            return [Window(self._joined(), slice(0, n_frames), 0)]
        return [self._window(n_frames - self._window_frames, n_frames)]

    def _window(self, begin: int, core_end: int) -> Window:
        offset = (begin - self._first_frame) * self._grid.stride_samples
        length = self._grid.n_samples(self._window_frames)
        core = slice(self._core_frame - begin, core_end - begin)
        window = Window(self._joined()[offset : offset + length], core, self._core_frame)
        self._core_frame = core_end
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
