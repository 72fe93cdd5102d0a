"""The way from many coroutines to one inference thread.

torch computes one forward on all cores, so two at a time would only get in each other's way: every
engine's work goes through the same thread, in the order in which it came.
"""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil

from stt.engine import Engine
from stt.transcript import LogProbs, Waveform


def available_cores() -> int:
    """Cores that this process may keep busy: physical ones, within its affinity and its quota."""
    counts = [psutil.cpu_count(logical=False) or 1]
    if hasattr(os, "sched_getaffinity"):
        counts.append(len(os.sched_getaffinity(0)))
    try:
        # A container's quota and period, "200000 100000" for two cores, "max" for none.
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        counts.append(max(1, int(quota) // int(period)))
    except (OSError, ValueError):
        pass
    return min(counts)


class Batcher:
    """Runs forwards on one thread of its own; `submit` may be awaited by many at once."""

    def __init__(self, cpu_threads: int = 0) -> None:
        self.cpu_threads = cpu_threads or available_cores()
        """Threads that one forward is computed with."""
        self._thread = ThreadPoolExecutor(
            1, thread_name_prefix="inference", initializer=self._set_threads
        )

    async def submit(self, engine: Engine, waveform: Waveform) -> LogProbs:
        """One window's log-probs, ``[grid.n_frames(len(waveform)), n_vocab]``."""
        loop = asyncio.get_running_loop()
        [log_probs] = await loop.run_in_executor(self._thread, engine.forward, [waveform])
        return log_probs

    def close(self) -> None:
        """Let the forward that runs end; start no other."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _set_threads(self) -> None:
        # torch keeps this number for each thread, so it is set on the one that computes.
        import torch

        torch.set_num_threads(self.cpu_threads)
