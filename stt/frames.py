"""What an engine returns of each frame.

An hour of log-probs over 1,205 symbols takes 0.9 GB. So engines reduce log-probs where they compute
them (`stt.engines.wants`), and nothing larger crosses a bus or a network.
"""

from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray


class AnyFrames(Protocol):
    """Neighbouring frames; slices are frames, too."""

    @property
    def log_probs(self) -> NDArray[np.float32]:
        """``[n_frames, ...]``: natural logarithms, as the model computed them."""
        ...

    def arrays(self) -> tuple[NDArray[Any], ...]:
        """All fields, in order; the first axis of each is the frame."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, frames: slice) -> Self: ...


class DecodableFrames(AnyFrames, Protocol):
    """Frames that a decoder takes."""

    @property
    def best(self) -> NDArray[np.int32]:
        """``[n_frames]``: the column of each frame's likeliest symbol."""
        ...


def packed(array: NDArray[Any]) -> NDArray[Any]:
    """A field of frames to send or store: columns in 16 bits if they fit."""
    is_small = array.dtype == np.int32 and array.max(initial=0) <= np.iinfo(np.uint16).max
    return array.astype(np.uint16) if is_small else array


def unpacked(array: NDArray[Any]) -> NDArray[Any]:
    """The field that was packed, bit for bit."""
    return array.astype(np.int32) if array.dtype == np.uint16 else array


class _Sliceable:
    """Arrays whose first axis is the frame."""

    def arrays(self) -> tuple[NDArray[Any], ...]:
        """The fields, in order."""
        return tuple(vars(self).values())

    def __getitem__(self, frames: slice) -> Self:
        return type(self)(*(array[frames] for array in self.arrays()))


@dataclass(frozen=True, eq=False)
class Frames(_Sliceable):
    """The best symbol of each frame: all that best-path decoding needs. 2 MB an hour."""

    columns: NDArray[np.int32]
    """``[n_frames]``: the column of the highest log-prob."""
    log_probs: NDArray[np.float32]
    """``[n_frames]``: that log-prob, as the model computed it."""
    log_posteriors: NDArray[np.float32]
    """``[n_frames]``: the same after the temperature of `Calibration`."""

    def __len__(self) -> int:
        return len(self.columns)

    @property
    def best(self) -> NDArray[np.int32]:
        """See `DecodableFrames`."""
        return self.columns


@dataclass(frozen=True, eq=False)
class TopFrames(_Sliceable):
    """The likeliest symbols of each frame, for beam search. The blank is always one of them."""

    columns: NDArray[np.int32]
    """``[n_frames, k]``: columns of the highest log-probs, the likeliest first."""
    log_probs: NDArray[np.float32]
    """``[n_frames, k]``: those log-probs, as the model computed them."""
    log_norms: NDArray[np.float32]
    """``[n_frames]``: a log-prob becomes a log-posterior if it is divided by the temperature and
    this is subtracted."""

    def __len__(self) -> int:
        return len(self.columns)

    @property
    def best(self) -> NDArray[np.int32]:
        """See `DecodableFrames`."""
        return self.columns[:, 0]


@dataclass(frozen=True, eq=False)
class ColumnFrames(_Sliceable):
    """The log-probs of given symbols, for alignment."""

    log_probs: NDArray[np.float32]
    """``[n_frames, n_columns]``: in the order in which the columns were asked for."""
    best: NDArray[np.float32]
    """``[n_frames]``: the highest log-prob of the frame, whatever its symbol."""

    def __len__(self) -> int:
        return len(self.best)
