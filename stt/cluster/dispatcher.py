"""Sends windows to engine replicas, and again to others when one dies."""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeAlias

from stt.cluster.wire import Failure, RemoteEngine, Reply, View
from stt.engines.base import Engine
from stt.engines.limits import CPU
from stt.errors import ClusterUnavailable, InferenceDied, InferenceFailed, QueueTimeout, SttError
from stt.inference.observer import Observer, Stage
from stt.inference.scheduler import refuse_when_full, seconds_until_room
from stt.types import SAMPLE_RATE, Frames, Waveform

logger = logging.getLogger(__name__)

MAX_SENDS = 4
"""Of one window. A replica dies by accident once; a window that ends every process it comes to
must not end them all."""
RETRY_SECONDS = 5.0
"""What clients are told to wait when the cluster cannot be reached."""


class Lost(Exception):
    """The replica ended, or could not be reached; what it had may be sent again."""


class Refused(Exception):
    """The cluster does not take the call at all; sending it again at once would not help."""


Call: TypeAlias = Callable[[str, Waveform], Awaitable["Reply | Failure"]]
"""Language and window -> what an engine replica says. Cancelled, it gives the window up there.
Raises `Lost`, `Refused`, or whatever is nobody's plan."""


class Membership(Protocol):
    """Knows what the ledger said last."""

    @property
    def view(self) -> View:
        """Of all replicas."""
        ...


class Dispatcher:
    """A `stt.inference.scheduler.Scheduler` whose engines are elsewhere.

    What waits is counted in seconds of audio that were sent and have not come back: what the
    others' have sent, as the ledger had it last, and what this one has, at this moment.
    """

    def __init__(
        self,
        call: Call,
        membership: Membership,
        observer: Observer,
        on_resend: Callable[[], None] = lambda: None,
        *,
        max_queue_seconds: float | None,
        queue_timeout_seconds: float,
        stall_seconds: float,
    ) -> None:
        """
        Args:
            call: Takes a window to some engine replica.
            membership: Knows of the other replicas.
            observer: Is told how long windows wait and are computed.
            on_resend: Is called whenever a window is sent again.
            max_queue_seconds: Seconds of audio that may wait, for each engine replica; None: the
                engine's limit.
            queue_timeout_seconds: Longest time that a window waits; there, and for a replica.
            stall_seconds: Longest time that it is computed.
        """
        self._call = call
        self._membership = membership
        self._observer = observer
        self._on_resend = on_resend
        self._max_queue_seconds = max_queue_seconds
        self._queue_timeout_seconds = queue_timeout_seconds
        self._patience_seconds = queue_timeout_seconds + stall_seconds
        self._limits = CPU
        """Of the device of the last window that came; a cluster's engines are all alike."""
        self._n_outstanding = 0
        self._outstanding_samples = 0

    @property
    def fault(self) -> None:
        """There is nothing in this process that could be stuck; engines have their own check."""
        return

    @property
    def n_queued(self) -> int:
        """Windows that this process has sent and that have not come back."""
        return self._n_outstanding

    @property
    def outstanding_seconds(self) -> float:
        """Seconds of audio that this process has sent and that have not come back."""
        return self._outstanding_samples / SAMPLE_RATE

    @property
    def queued_seconds(self) -> float:
        """The same, with what the other ingresses have sent."""
        return self.outstanding_seconds + self._membership.view.outstanding_seconds

    @property
    def retry_after_seconds(self) -> float:
        """When there will be room, by what waits and by the speed of all engines: 1 to 60 s."""
        return seconds_until_room(self.queued_seconds, self._rtfx)

    def check_room(self) -> None:
        """See `stt.inference.scheduler.Scheduler`."""
        for_each = self._max_queue_seconds or self._limits.max_queue_seconds
        limit = for_each * max(1, self._membership.view.n_engines)
        refuse_when_full(self.queued_seconds, limit, self._rtfx)

    async def submit(self, engine: Engine, waveform: Waveform) -> Frames:
        """See `stt.inference.scheduler.Scheduler`; ``engine`` is one of `stt.cluster.engines`."""
        if not isinstance(engine, RemoteEngine):
            raise TypeError(f"expected a RemoteEngine, got {type(engine).__name__}")
        self._limits = engine.limits
        self._n_outstanding += 1
        self._outstanding_samples += len(waveform)
        try:
            async with asyncio.timeout(
                self._patience_seconds if math.isfinite(self._patience_seconds) else None
            ):
                reply = await self._send(engine.language, waveform)
        except TimeoutError:
            raise QueueTimeout(
                f"The recording waited more than {self._queue_timeout_seconds:g} s for an engine, "
                "the limit here. Try again a little later.",
                retry_after_seconds=self.retry_after_seconds,
            ) from None
        finally:
            self._n_outstanding -= 1
            self._outstanding_samples -= len(waveform)
        if isinstance(reply, Failure):
            raise reply.error()
        ended = time.perf_counter()
        started = ended - reply.forward_seconds
        queued = started - reply.queue_seconds
        self._observer.stage(Stage.QUEUE, queued, started, reply.queue_seconds)
        self._observer.stage(Stage.FORWARD, started, ended, reply.forward_seconds)
        return reply.frames()

    def close(self) -> None:
        """Nothing is computed here."""

    @property
    def _rtfx(self) -> float:
        """Of all engines; 1 before the first has told."""
        return max(1.0, self._membership.view.rtfx)

    async def _send(self, language: str, waveform: Waveform) -> Reply | Failure:
        """To one replica after the other, until one lives long enough to answer."""
        for n_sent in range(1, MAX_SENDS + 1):
            if n_sent > 1:
                self._on_resend()
            try:
                reply = await self._call(language, waveform)
                if not (isinstance(reply, Failure) and reply.code == InferenceDied.code):
                    return reply
                raise Lost(reply.message)  # its process goes on for a moment, its engine does not
            except Lost as loss:
                logger.warning(
                    "an engine was lost with a window, sent %d times of at most %d: %s",
                    n_sent, MAX_SENDS, loss,
                )  # fmt: skip
                await asyncio.sleep(0.05 * 2**n_sent)  # others hear of its end meanwhile
            except Refused as refusal:
                raise ClusterUnavailable(
                    "No engine of the cluster can be reached. Try again a little later.",
                    RETRY_SECONDS,
                ) from refusal
            except SttError:
                raise
            except Exception as error:
                raise InferenceFailed("The model failed on this recording.") from error
        raise ClusterUnavailable(
            f"{MAX_SENDS} engines of the cluster ended while they had this recording. Try again a "
            "little later.",
            RETRY_SECONDS,
        )
