"""The server that `stt serve` runs: uvicorn's, but it ends as load balancers need it."""

import logging
import os
import signal
import time
from types import FrameType

import uvicorn

from stt.server.admission import Admission

logger = logging.getLogger(__name__)

CLOSING_SECONDS = 5
"""What uvicorn gives connections to end once nothing is being worked on."""


class GracefulServer(uvicorn.Server):
    """Ends in three steps after a signal.

    1. Probes say 503 `draining`, everything else goes on: a load balancer hears of the end by
       asking, and sends requests until it has asked.
    2. What is new is refused with 503, still over an open port; what is inside is finished.
    3. The port is closed.

    After Ctrl-C, where nobody asks, the first step is left out. A second signal ends the process.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        admission: Admission,
        *,
        delay_seconds: float,
        timeout_seconds: float,
    ) -> None:
        """
        Args:
            config: uvicorn's.
            admission: Of the application that is served.
            delay_seconds: Length of the first step.
            timeout_seconds: Longest duration of the second one.
        """
        super().__init__(config)
        self._admission = admission
        self._delay_seconds = delay_seconds
        self._timeout_seconds = timeout_seconds
        self._asked: float | None = None
        """`time.monotonic` of the first signal."""
        self.finished_all = True
        """Whether everything that was inside could be finished."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Called for each signal, between any two steps of the program."""
        if self._asked is not None:
            end_at_once(sig)
        if sig == signal.SIGINT:
            self._delay_seconds = 0
        self._asked = time.monotonic()
        self._admission.draining = True

    async def on_tick(self, counter: int) -> bool:
        """Called by uvicorn ten times a second; True ends the serving."""
        if self._asked is not None:
            self._drain(time.monotonic() - self._asked - self._delay_seconds)
        return await super().on_tick(counter)

    def _drain(self, seconds: float) -> None:
        """Go on with the end, so many seconds after the delay."""
        if seconds < 0 or self.should_exit:
            return
        if not self._admission.closed:
            logger.info("stopping: %d requests to finish", self._admission.n_inside)
            self._admission.close()
        late = seconds - self._timeout_seconds
        if late > 0 and self._admission.n_inside and self.finished_all:
            self.finished_all = False
            logger.warning(
                "stopping: %d requests are not finished after %g s and are dropped",
                self._admission.n_inside,
                self._timeout_seconds,
            )
            self._admission.drop_all()
        # WebSockets are told by uvicorn that the service restarts (1012).
        n_awaited = self._admission.n_inside - (self._admission.n_sockets if late > 0 else 0)
        self.should_exit = n_awaited == 0 or late > CLOSING_SECONDS


def end_at_once(sig: int, frame: FrameType | None = None) -> None:
    """End the process as shells report a killed one, whatever its threads are doing.

    Not by the signal itself: the first process of a container does not die of it.
    """
    os._exit(128 + sig)
