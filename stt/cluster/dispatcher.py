"""Sends windows to engine replicas, and resends them when a replica dies."""

import asyncio
import logging
import math
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeAlias

from stt.cluster.wire import Failure, RemoteEngine, Reply, View
from stt.engines.base import Engine
from stt.engines.limits import CPU
from stt.engines.wants import F, Want
from stt.errors import ClusterUnavailable, InferenceDied, InferenceFailed, QueueTimeout, SttError
from stt.frames import AnyFrames
from stt.inference.fairness import by_client, current_client, refuse_when_full
from stt.inference.observer import Observer, Stage
from stt.inference.scheduler import seconds_until_room
from stt.types import SAMPLE_RATE, Waveform

logger = logging.getLogger(__name__)

MAX_SENDS = 4
"""Attempts per window: enough to survive crashed replicas, few enough that a window which crashes
every replica cannot take them all down."""
RETRY_SECONDS = 5.0
"""``Retry-After`` when the cluster cannot be reached."""


class ReplicaLost(Exception):
    """The replica died or could not be reached; its windows may be resent."""


class CallRefused(Exception):
    """The cluster rejected the call; an immediate retry would not help."""


Call: TypeAlias = Callable[[str, Waveform, Want[AnyFrames], str], Awaitable["Reply | Failure"]]
"""Language, window, what is wanted of it, and client -> an engine replica's answer.

Cancelling it also drops the window there. Raises `ReplicaLost`, `CallRefused` or anything
unexpected."""


class Membership(Protocol):
    """Holds the latest view from the ledger."""

    @property
    def view(self) -> View:
        """The state of all replicas."""
        ...


class Dispatcher:
    """A `stt.inference.scheduler.Scheduler` for engines in other processes.

    Its queue is the seconds of audio that are sent and not yet answered: by this process now, and
    by the other ingress replicas as of the ledger's latest view.
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
            call: Sends a window to any engine replica.
            membership: Provides the state of the other replicas.
            observer: Receives queue and forward times.
            on_resend: Called whenever a window is resent.
            max_queue_seconds: Queue limit per engine replica, in seconds of audio; None: the
                engine's default.
            queue_timeout_seconds: Longest time that a window may queue, including the wait for a
                replica.
            stall_seconds: Longest time that its forward may take.
        """
        self._call = call
        self._membership = membership
        self._observer = observer
        self._on_resend = on_resend
        self._max_queue_seconds = max_queue_seconds
        self._queue_timeout_seconds = queue_timeout_seconds
        self._patience_seconds = queue_timeout_seconds + stall_seconds
        self._limits = CPU
        """Those of the latest window's device; a cluster's engines all use the same kind."""
        self._n_outstanding = 0
        self._outstanding_samples: Counter[str] = Counter()
        """By client."""

    @property
    def fault(self) -> None:
        """None: nothing in this process can get stuck, and engine replicas check themselves."""
        return

    @property
    def n_queued(self) -> int:
        """Windows that this process has sent and not got back."""
        return self._n_outstanding

    @property
    def outstanding(self) -> dict[str, float]:
        """Seconds of audio that this process has sent and not got back, by client."""
        return {client: n / SAMPLE_RATE for client, n in self._outstanding_samples.items() if n}

    @property
    def queued_seconds(self) -> float:
        """The same over all ingress replicas and clients."""
        return sum(self._outstanding_everywhere.values())

    @property
    def _outstanding_everywhere(self) -> dict[str, float]:
        return by_client([self.outstanding, self._membership.view.outstanding])

    @property
    def retry_after_seconds(self) -> float:
        """Estimate from the queue and the speed of all engines, 1 s to an hour."""
        return seconds_until_room(self.queued_seconds, self.rtfx)

    def check_room(self) -> None:
        """See `stt.inference.scheduler.Scheduler`."""
        for_each = self._max_queue_seconds or self._limits.max_queue_seconds
        limit = for_each * max(1, self._membership.view.n_engines)
        refuse_when_full(self._outstanding_everywhere, limit, self.retry_after_seconds)

    async def submit(self, engine: Engine, waveform: Waveform, want: Want[F]) -> F:
        """See `stt.inference.scheduler.Scheduler`; ``engine`` must be a `RemoteEngine`."""
        if not isinstance(engine, RemoteEngine):
            raise TypeError(f"expected a RemoteEngine, got {type(engine).__name__}")
        self._limits = engine.limits
        self._n_outstanding += 1
        client = current_client.get()
        self._outstanding_samples[client] += len(waveform)
        try:
            async with asyncio.timeout(
                self._patience_seconds if math.isfinite(self._patience_seconds) else None
            ):
                reply = await self._send(engine.language, waveform, want, client)
        except TimeoutError:
            raise QueueTimeout(
                "The recording waited longer for an engine than the limit of "
                f"{self._queue_timeout_seconds:g} s. Try again later.",
                retry_after_seconds=self.retry_after_seconds,
            ) from None
        finally:
            self._n_outstanding -= 1
            self._outstanding_samples[client] -= len(waveform)
            if not self._outstanding_samples[client]:
                del self._outstanding_samples[client]
        if isinstance(reply, Failure):
            raise reply.error()
        ended = time.perf_counter()
        started = ended - reply.forward_seconds
        queued = started - reply.queue_seconds
        self._observer.stage(Stage.QUEUE, queued, started, reply.queue_seconds)
        self._observer.stage(Stage.FORWARD, started, ended, reply.forward_seconds)
        return reply.frames(want)

    def close(self) -> None:
        """Do nothing: no engine runs in this process."""

    @property
    def rtfx(self) -> float:
        """Of all engines together; 1 until the first one reports."""
        return max(1.0, self._membership.view.rtfx)

    async def _send(
        self, language: str, waveform: Waveform, want: Want[AnyFrames], client: str
    ) -> Reply | Failure:
        """Try one replica after another until one answers."""
        for n_sent in range(1, MAX_SENDS + 1):
            if n_sent > 1:
                self._on_resend()
            try:
                reply = await self._call(language, waveform, want, client)
                if not (isinstance(reply, Failure) and reply.code == InferenceDied.code):
                    return reply
                raise ReplicaLost(reply.message)  # the process outlives its engine for a moment
            except ReplicaLost as loss:
                logger.warning(
                    "lost an engine replica that had a window (attempt %d of %d): %s",
                    n_sent, MAX_SENDS, loss,
                )  # fmt: skip
                await asyncio.sleep(0.05 * 2**n_sent)  # time for Ray to stop routing to it
            except CallRefused as refusal:
                raise ClusterUnavailable(
                    "No engine of the cluster can be reached. Try again later.",
                    RETRY_SECONDS,
                ) from refusal
            except SttError:
                raise
            except Exception as error:
                raise InferenceFailed("The model failed on this recording.") from error
        raise ClusterUnavailable(
            f"{MAX_SENDS} engines of the cluster died while processing this recording. Try again "
            "later.",
            RETRY_SECONDS,
        )
