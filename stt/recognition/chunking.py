"""All long-audio arithmetic: cut a stream of samples into overlapping windows.

A model sees one window at a time. Frames near a window's inner edge lack context on one side, so
only the *core* of a window is kept, and the cores of neighbouring windows meet without gap or
overlap::

    window 0   |==== core ====|context|
    window 1         |context|=== core ===|context|
    window 2                      |earlier audio|context|== core ==|

Every window but a recording's only one has the same length, the last one too: it begins early
enough to be full, as a window of real audio is worth more than one of padding, and as a processor
is fastest on a shape that it knows.

Where a core ends is not fixed: within some seconds before the context begins, the quietest moment
is taken, which is seldom inside a word. Two windows never agree to the frame on where a symbol is,
and between words that does no harm.

Windows begin at multiples of the frame stride, so that a frame of a window is exactly a frame of
one forward over the whole recording, and frames can be counted through.
"""

from dataclasses import dataclass

import numpy as np

from stt.types import SAMPLE_RATE, FrameGrid, Waveform

QUIET_FRAMES = 10
"""Frames over which loudness is averaged in the search for a pause; 0.2 s at a stride of 20 ms."""


@dataclass(frozen=True)
class Window:
    """A piece of a recording for one forward."""

    waveform: Waveform
    core: slice
    """Those of the window's frames that count."""
    first_frame: int
    """Index in the whole recording of the core's first frame."""


class WindowCutter:
    """Cuts blocks of samples into windows as they come; holds two windows' samples at most.

    ``feed`` every block, then ``finish`` once. A recording of at most one window comes out whole,
    to the last sample, so that its text is exactly that of one forward.
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
        stride_seconds = grid.stride_samples / SAMPLE_RATE
        self._window_frames = max(1, round(window_seconds / stride_seconds))
        self._context_frames = round(context_seconds / stride_seconds)
        self._search_frames = round(cut_search_seconds / stride_seconds)
        if self._window_frames - 2 * self._context_frames - self._search_frames < 1:
            raise ValueError("context and search leave nothing of the window")
        self._blocks: list[Waveform] = []
        self._first_frame = 0
        """Frame at which the blocks held begin: where the window before the next one began."""
        self._window_frame = 0
        """Frame at which the next window begins."""
        self._core_frame = 0
        """First frame that no core has covered yet."""
        self.n_samples = 0
        """Samples fed so far."""

    def feed(self, block: Waveform) -> list[Window]:
        """Take the next samples; return the windows that are now known not to be the last."""
        self._blocks.append(block)
        self.n_samples += len(block)
        n_frames = self._grid.n_frames(self.n_samples)
        windows = []
        # More than a window, not just one: a recording's last window is cut by `finish`.
        while n_frames > self._window_frame + self._window_frames:
            core_end = self._choose_cut()
            windows.append(self._window(self._window_frame, core_end))
            self._forget_before(self._window_frame)
            self._window_frame = core_end - self._context_frames
        return windows

    def finish(self) -> list[Window]:
        """No more samples: return the last window, or none where there is not one frame."""
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
        """The frame at which the next window's core ends: the quietest one that may be taken."""
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
    """The frame, of ``first`` to ``last``, around which it is quietest.

    Args:
        samples: They begin where the frame ``samples_frame`` does, and hold the two others.
    """
    # Loudness is that of some frames around: a stop consonant is silent too, but short.
    begin = (first - QUIET_FRAMES // 2 - samples_frame) * stride_samples
    around = samples[max(0, begin) : begin + (last - first + QUIET_FRAMES) * stride_samples]
    whole = len(around) // stride_samples * stride_samples
    energies = np.square(around[:whole].reshape(-1, stride_samples)).mean(axis=1, dtype=np.float64)
    loudness = np.convolve(energies, np.ones(QUIET_FRAMES) / QUIET_FRAMES, mode="valid")
    # Of equally quiet moments the last one: it gives the longest core.
    quietest = len(loudness) - 1 - int(loudness[::-1].argmin())
    return min(last, first + quietest)
