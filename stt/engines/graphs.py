"""Forwards of full windows as CUDA graphs: one launch instead of some 400.

Nearly all windows have one length, so a few graphs serve them: for 1, 2, 4, 8, ... rows, of which
some stay unused. Everything else is computed as without graphs. It has not been tried on a GPU.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from stt.engines.faults import is_out_of_memory

logger = logging.getLogger(__name__)

N_WARMING = 3
"""Forwards before one is recorded, in which the libraries choose their kernels."""


class Record(Protocol):
    """Records what a function launches."""

    def __call__(self, compute: Callable[[], Any]) -> tuple[Any, Callable[[], None]]:
        """Its output, and a function that computes that again, in the same place."""
        ...


class RecordCuda:
    """Records with CUDA's graphs. They share memory, as only one runs at a time."""

    def __init__(self) -> None:
        self._pool: Any = None

    def __call__(self, compute: Callable[[], Any]) -> tuple[Any, Callable[[], None]]:
        """See `Record`."""
        import torch

        computing, warming = torch.cuda.current_stream(), torch.cuda.Stream()  # type: ignore[no-untyped-call]
        warming.wait_stream(computing)
        with torch.cuda.stream(warming):
            for _ in range(N_WARMING):
                compute()
        computing.wait_stream(warming)
        graph = torch.cuda.CUDAGraph()
        # Another thread may wait for the batch before meanwhile, which is no part of the graph.
        with torch.cuda.graph(graph, pool=self._pool, capture_error_mode="thread_local"):
            output = compute()
        self._pool = self._pool or graph.pool()
        return output, graph.replay


@dataclass(frozen=True, eq=False)
class Graph:
    """A recorded forward."""

    inputs: Any
    """``[rows, n_samples]``, on the device, to be overwritten."""
    logits: Any
    """``[rows, n_frames, n_vocab]``; overwritten by the next replay, on the same stream."""
    replay: Callable[[], None]


class Graphs:
    """A model for waveforms that replays what it can; called by one thread at a time."""

    def __init__(self, model: Any, n_samples: int, record: Record) -> None:
        """
        Args:
            model: Maps waveforms and their lengths to logits.
            n_samples: Length of a full window.
            record: Records a forward.
        """
        self.model = model
        self._n_samples = n_samples
        self._record = record
        self._graphs: dict[int, Graph] | None = {}
        """By their rows; None after recording has failed."""

    def __call__(self, waveforms: Any, lengths: Any | None = None) -> Any:
        """Logits, ``[n, n_frames, n_vocab]``; valid until the next call on the same stream."""
        n_rows, n_samples = waveforms.shape
        if lengths is not None or n_samples != self._n_samples:
            return self.model(waveforms, lengths)
        graph = self._find(1 << (n_rows - 1).bit_length(), waveforms)
        if graph is None:
            return self.model(waveforms, None)
        graph.inputs[:n_rows].copy_(waveforms)
        graph.replay()
        return graph.logits[:n_rows]

    def _find(self, n_rows: int, like: Any) -> Graph | None:
        """The graph for so many rows, recorded now if need be; None if that fails."""
        if self._graphs is None:
            return None
        if n_rows in self._graphs:
            return self._graphs[n_rows]
        inputs = like.new_zeros(n_rows, self._n_samples)
        inputs[: len(like)].copy_(like)
        try:
            logits, replay = self._record(lambda: self.model(inputs, None))
        except RuntimeError as error:
            if is_out_of_memory(error):
                raise
            self._graphs = None
            logger.exception("CUDA graphs cannot be recorded here, so none are used")
            return None
        graph = Graph(inputs, logits, replay)
        self._graphs[n_rows] = graph
        logger.info("a CUDA graph is recorded", extra={"rows": n_rows})
        return graph
