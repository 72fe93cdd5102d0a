"""Faults for a service that runs: its own helpers are killed or stopped, by their ids."""

import asyncio
import random
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress

import psutil

from benchmarks.ledger import Ledger
from benchmarks.resources import Family

RECOVERY_SECONDS = 60.0
"""By then a valid upload must be answered as ever."""
HANG_SECONDS = 45.0
"""Until a worker that was stopped is expected to have been noticed, if it got work at all."""
KINDS = {"worker killed": 5, "all workers killed": 1, "template killed": 2, "worker stopped": 2}
"""With how often each comes."""


class Faults:
    """Injects faults and measures how long it takes until all is well again."""

    def __init__(
        self,
        family: Family,
        ledger: Ledger,
        check: Callable[[], Awaitable[bool]],
        rng: random.Random,
    ) -> None:
        """
        Args:
            family: The service; nothing but processes below it is touched.
            ledger: Is told when ``decode_failed`` is to be expected.
            check: One valid upload; whether it was answered as it should be.
            rng: What comes next.
        """
        self._family = family
        self._ledger = ledger
        self._check = check
        self._rng = rng
        self.survived: Counter[str] = Counter()
        self.not_survived: Counter[str] = Counter()
        self.recoveries: list[float] = []
        """Seconds from each fault to the next right answer."""
        self.times: list[float] = []
        """`time.monotonic` of each."""

    async def inject(self) -> None:
        """One fault, and the time until it is over."""
        kind = self._rng.choices(list(KINDS), list(KINDS.values()))[0]
        workers, template = self._family.workers(), self._family.template()
        if template is None or not workers:
            return
        began = time.monotonic()
        self.times.append(began)
        with self._ledger.season("decode_failed"):
            if kind == "worker stopped":
                await self._stop(self._rng.choice(workers))
            else:
                victims = {
                    "worker killed": [self._rng.choice(workers)],
                    "all workers killed": workers,
                    "template killed": [template],
                }[kind]
                for victim in victims:
                    with suppress(psutil.NoSuchProcess):
                        victim.kill()
                began = time.monotonic()
                for _ in range(500):  # a signal takes its time on a busy machine
                    if not any(is_there(victim) for victim in victims):
                        break
                    await asyncio.sleep(0.01)
            while not await self._check():
                if time.monotonic() - began > RECOVERY_SECONDS:
                    self.not_survived[kind] += 1
                    return
                await asyncio.sleep(0.1)
        self.survived[kind] += 1
        if kind != "worker stopped":
            self.recoveries.append(time.monotonic() - began)

    async def _stop(self, worker: psutil.Process) -> None:
        """Until the service has noticed and killed it; it may not be given work at all."""
        deadline = time.monotonic() + HANG_SECONDS
        with suppress(psutil.NoSuchProcess):
            worker.send_signal(signal.SIGSTOP)
            while time.monotonic() < deadline and worker.status() != psutil.STATUS_ZOMBIE:
                await asyncio.gather(*(self._check() for _ in range(4)))
            worker.send_signal(signal.SIGCONT)


def is_there(process: psutil.Process) -> bool:
    """Whether it has not ended yet."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
