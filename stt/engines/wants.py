"""What a caller wants of each frame: an engine reduces its log-probs to that on its own device."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from stt.frames import AnyFrames, ColumnFrames, DecodableFrames, Frames, TopFrames
from stt.types import LogProbs

F = TypeVar("F", bound=AnyFrames, covariant=True)
D = TypeVar("D", bound=DecodableFrames, covariant=True)


class Want(Protocol[F]):
    """A reduction of log-probs. Hashable: windows that want the same share a batch."""

    def reduce(self, log_probs: LogProbs, temperature: float = 1.0) -> F:
        """Reduce ``[n_frames, n_vocab]`` log-probs of numpy."""
        ...

    def reduce_tensor(self, log_probs: Any, temperature: float) -> tuple[Any, ...]:
        """Reduce a torch tensor ``[n, n_frames, n_vocab] float32`` on its device.

        Returns the fields of the frames, each ``[n, n_frames, ...]``.
        """
        ...

    def frames(self, arrays: Sequence[NDArray[Any]]) -> F:
        """Put the fields of one recording's frames together."""
        ...


class DecodingWant(Want[D], Protocol[D]):
    """A reduction to frames that a decoder takes."""

    def blanks(self, n_frames: int, blank: int) -> D:
        """Frames of silence that was not computed."""
        ...


@dataclass(frozen=True)
class Best:
    """The best symbol of each frame, for best-path decoding."""

    def reduce(self, log_probs: LogProbs, temperature: float = 1.0) -> Frames:
        """See `Want`."""
        columns = log_probs.argmax(axis=1)
        best = np.take_along_axis(log_probs, columns[:, None], axis=1)
        # log(exp(best / t) / sum(exp(log_probs / t))), shifted so that the largest exponent is 0.
        others = np.exp((log_probs - best) / np.float32(temperature)).sum(axis=1)
        return Frames(
            columns.astype(np.int32),
            best[:, 0].astype(np.float32),
            -np.log(others, dtype=np.float32),
        )

    def reduce_tensor(self, log_probs: Any, temperature: float) -> tuple[Any, ...]:
        """See `Want`."""
        best, columns = log_probs.max(dim=-1)
        return columns.int(), best, best / temperature - _log_norms(log_probs, temperature)

    def frames(self, arrays: Sequence[NDArray[Any]]) -> Frames:
        """See `Want`."""
        return Frames(*arrays)

    def blanks(self, n_frames: int, blank: int) -> Frames:
        """See `DecodingWant`."""
        zeros = np.zeros(n_frames, np.float32)
        return Frames(np.full(n_frames, blank, np.int32), zeros, zeros)


BEST = Best()


@dataclass(frozen=True)
class Top:
    """The likeliest symbols of each frame, for beam search."""

    blank: int
    """Column of the blank, which is always among them."""
    n: int = 32
    """How many, if there are so many."""

    def reduce(self, log_probs: LogProbs, temperature: float = 1.0) -> TopFrames:
        """See `Want`."""
        n = min(self.n, log_probs.shape[1])
        columns = np.argpartition(-log_probs, n - 1, axis=1)[:, :n]
        order = np.argsort(-np.take_along_axis(log_probs, columns, axis=1), axis=1, kind="stable")
        columns = np.take_along_axis(columns, order, axis=1)
        columns[~(columns == self.blank).any(axis=1), -1] = self.blank
        scaled = log_probs / np.float32(temperature)
        peak = scaled.max(axis=1, keepdims=True)
        norms = peak[:, 0] + np.log(np.exp(scaled - peak).sum(axis=1))
        best = np.take_along_axis(log_probs, columns, axis=1)
        return TopFrames(
            columns.astype(np.int32), best.astype(np.float32), norms.astype(np.float32)
        )

    def reduce_tensor(self, log_probs: Any, temperature: float) -> tuple[Any, ...]:
        """See `Want`."""
        _, columns = log_probs.topk(min(self.n, log_probs.shape[-1]), dim=-1)
        has_blank = (columns == self.blank).any(dim=-1)
        columns[..., -1].masked_fill_(~has_blank, self.blank)
        best = log_probs.gather(-1, columns)
        return columns.int(), best, _log_norms(log_probs, temperature)

    def frames(self, arrays: Sequence[NDArray[Any]]) -> TopFrames:
        """See `Want`."""
        return TopFrames(*arrays)

    def blanks(self, n_frames: int, blank: int) -> TopFrames:
        """See `DecodingWant`."""
        return TopFrames(
            np.full((n_frames, 1), blank, np.int32),
            np.zeros((n_frames, 1), np.float32),
            np.zeros(n_frames, np.float32),
        )


@dataclass(frozen=True)
class Columns:
    """The log-probs of given symbols, for alignment."""

    columns: tuple[int, ...]

    def reduce(self, log_probs: LogProbs, temperature: float = 1.0) -> ColumnFrames:
        """See `Want`; the temperature has no effect."""
        return ColumnFrames(
            log_probs[:, list(self.columns)].astype(np.float32),
            log_probs.max(axis=1).astype(np.float32),
        )

    def reduce_tensor(self, log_probs: Any, temperature: float) -> tuple[Any, ...]:
        """See `Want`; the temperature has no effect."""
        import torch

        columns = torch.tensor(self.columns, device=log_probs.device)
        return log_probs.index_select(-1, columns), log_probs.amax(dim=-1)

    def frames(self, arrays: Sequence[NDArray[Any]]) -> ColumnFrames:
        """See `Want`."""
        return ColumnFrames(*arrays)


def _log_norms(log_probs: Any, temperature: float) -> Any:
    import torch

    return torch.logsumexp(log_probs / temperature, dim=-1)
