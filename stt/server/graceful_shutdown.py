"""The server that `stt serve` runs: uvicorn with a shutdown that suits load balancers."""

import logging
import os
import signal
import time
from types import FrameType

import uvicorn

from stt.server.admission import Admission

logger = logging.getLogger(__name__)

CLOSING_SECONDS = 5
"""Time for uvicorn to close connections when all work is done."""


class GracefulServer(uvicorn.Server):
    """Stops in three steps after a signal.

    1. Probes answer 503 `draining`, everything else continues: load balancers keep sending
       requests until a probe tells them.
    2. New requests get 503, admitted ones are finished.
    3. The port closes.

    Ctrl-C skips the first step. A second signal ends the process at once.
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
            admission: The application's.
            delay_seconds: Duration of the first step.
            timeout_seconds: Limit of the second step.
        """
        super().__init__(config)
        self._admission = admission
        self._delay_seconds = delay_seconds
        self._timeout_seconds = timeout_seconds
        self._signalled: float | None = None
        """`time.monotonic` of the first signal."""
        self.finished_all = True
        """Whether every admitted request was finished."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Called for each signal, between any two bytecodes."""
        if self._signalled is not None:
            end_at_once(sig)
        if sig == signal.SIGINT:
            self._delay_seconds = 0
        self._signalled = time.monotonic()
        self._admission.draining = True

    async def on_tick(self, counter: int) -> bool:
        """Called by uvicorn ten times a second; True stops the server."""
        if self._signalled is not None:
            self._drain(time.monotonic() - self._signalled - self._delay_seconds)
        return await super().on_tick(counter)

    def _drain(self, seconds: float) -> None:
        """Continue the shutdown, ``seconds`` after the delay ended."""
        if seconds < 0 or self.should_exit:
            return
        if not self._admission.closed:
            logger.info("stopping: %d requests to finish", self._admission.n_inside)
            self._admission.close()
        late = seconds - self._timeout_seconds
        if late > 0 and self._admission.n_inside and self.finished_all:
            self.finished_all = False
            logger.warning(
                "stopping: dropping %d requests that are not finished after %g s",
                self._admission.n_inside,
                self._timeout_seconds,
            )
            self._admission.drop_all()
        # uvicorn closes WebSockets with 1012, service restart.
        n_awaited = self._admission.n_inside - (self._admission.n_sockets if late > 0 else 0)
        self.should_exit = n_awaited == 0 or late > CLOSING_SECONDS


def end_at_once(sig: int, frame: FrameType | None = None) -> None:
    """End the process without waiting for its threads, with a shell's exit code for the signal.

    The signal itself would not kill the first process of a container.
    """
    os._exit(128 + sig)
