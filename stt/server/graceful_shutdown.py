"""The server that `stt serve` runs: uvicorn with a shutdown that suits load balancers."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from types import FrameType

import uvicorn

from stt.server.admission import Admission

logger = logging.getLogger(__name__)

CLOSING_SECONDS = 5
"""Time for uvicorn to close connections when all work is done."""


def stop_signals() -> tuple[signal.Signals, ...]:
    """The signals that stop the service: those of supervisors, Ctrl-C and a closed terminal.

    SIGHUP is left out if it is ignored, as nohup arranges, and on Windows.
    """
    numbers = [signal.SIGTERM, signal.SIGINT]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    return tuple(numbers)


@contextmanager
def handling(
    numbers: Iterable[signal.Signals], handler: Callable[[int, FrameType | None], None]
) -> Generator[None]:
    """Handle these signals within the block, in the main thread; in others it does nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)


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

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Called by uvicorn, which itself handles neither SIGHUP nor what nohup ignores."""
        with super().capture_signals(), handling(stop_signals(), self.handle_exit):
            yield

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
