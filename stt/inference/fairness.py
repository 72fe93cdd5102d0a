"""Shares one queue fairly between clients: equal shares of its room, and turns in its order.

A client that is alone may use everything. Once another one comes, each is admitted up to its equal
share of the limit, and windows are computed in turns. Live streams and files alternate; jobs, for
which nobody waits, get what these leave.
"""

import math
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from enum import IntEnum

from stt.errors import Overloaded

current_client: ContextVar[str] = ContextVar("current_client", default="")
"""The client whose request is being served; "" is the service itself."""
LIVE = ", live"
"""Ends the name under which a client's live streams count, apart from its files."""
JOB = ", job"
"""Ends the name under which a client's jobs count."""
JOB_PATIENCE = 16
"""After so many other batches one of a job is computed, so that jobs end on a busy service too."""
MOST_OVER = 2.0
"""Shares can add up to more than the limit while clients come; this multiple of it is the end."""
LEAST_SECONDS = 20.0
"""Of a queue: a window, which every client may have."""


def is_live(client: str) -> bool:
    """Whether this is the name of a client's live streams."""
    return client.endswith(LIVE)


def is_job(client: str) -> bool:
    """Whether this is the name of a client's jobs."""
    return client.endswith(JOB)


class Lane(IntEnum):
    """What the windows of a client are for."""

    LIVE = 0
    FILE = 1
    JOB = 2

    @classmethod
    def of(cls, client: str) -> "Lane":
        """The lane of a client, by its name."""
        if is_live(client):
            return cls.LIVE
        return cls.JOB if is_job(client) else cls.FILE


def by_client(queues: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """What each client holds in several queues together."""
    together: dict[str, float] = {}
    for queue in queues:
        for client, amount in queue.items():
            together[client] = together.get(client, 0.0) + amount
    return together


def is_full(
    held: Mapping[str, float], client: str, limit: float, *, least: float = math.inf
) -> bool:
    """Whether a client has to wait for room.

    Args:
        held: What each client holds; clients that hold nothing are absent.
        client: The one that wants more.
        limit: What all may hold together.
        least: What may grow after it was admitted counts at most with the client's share, or this
            if it is more, so that it keeps nobody else out.
    """
    share = limit / len(held.keys() | {client})
    if sum(held.values()) < limit:
        return False
    if held.get(client, 0) >= share:
        return True
    counted = sum(min(amount, max(share, least)) for amount in held.values())
    return counted >= MOST_OVER * limit


def refuse_when_full(
    queued_seconds: Mapping[str, float], limit_seconds: float, seconds_until_room: float
) -> None:
    """Check the queue for `current_client`.

    Jobs are never refused, and what they queue keeps nobody out: they wait behind everyone else.

    Args:
        queued_seconds: Audio in the queue, by client.
        limit_seconds: What all clients may queue together.
        seconds_until_room: For the error.

    Raises:
        Overloaded: the queue has reached its limit, and the client its share of it.
    """
    client = current_client.get()
    if is_job(client):
        return
    queued_seconds = {name: n for name, n in queued_seconds.items() if not is_job(name)}
    if is_full(queued_seconds, client, limit_seconds, least=LEAST_SECONDS):
        total, n_clients = sum(queued_seconds.values()), len(queued_seconds.keys() | {client})
        share = f", shared by {n_clients} clients" if n_clients > 1 else ""
        raise Overloaded(
            f"{total:.0f} s of audio wait to be transcribed; the limit is {limit_seconds:g} s"
            f"{share}. Try again later.",
            retry_after_seconds=seconds_until_room,
        )


class Turns:
    """Whose turn it is: the client that has used least since it began to wait.

    Virtual time as in start-time fair queueing (Goyal, Vin and Cheng, 1996), counted when work is
    done: a client that comes or comes back starts level with the one that was served last.
    """

    def __init__(self) -> None:
        self._used: dict[str, float] = {}
        self._level = 0.0
        """What the client that was served last had used."""

    def next(self, waiting: Iterable[str]) -> str:
        """The client to serve next, of at least one that waits; the first of equals."""
        clients = dict.fromkeys(waiting)
        for client in clients:
            self._used[client] = max(self._used.get(client, 0.0), self._level)
        chosen = min(clients, key=self._used.__getitem__)
        self._level = self._used[chosen]
        self._used = {
            client: used
            for client, used in self._used.items()
            if client in clients or used > self._level
        }
        return chosen

    def charge(self, client: str, amount: float) -> None:
        """Count what a client uses."""
        self._used[client] = self._used.get(client, self._level) + amount


class Lanes:
    """Whose turn it is, with a lane for live streams, one for files and one for jobs.

    The first two alternate while both have clients that wait; within a lane clients take `Turns`.
    So what somebody says now waits for one batch of files, however many clients send files, and a
    file for one batch of live windows, however many streams there are. Jobs get a turn when nobody
    else waits, and one after `JOB_PATIENCE` batches of others; so whoever comes waits for at most
    one batch of a job beside the one that runs.
    """

    def __init__(self) -> None:
        self._turns = {lane: Turns() for lane in Lane}
        self._last = Lane.FILE
        """The lane of the last batch that was not a job's."""
        self._n_passed = 0
        """Batches of others since a job waits."""

    def next(self, waiting: Iterable[str]) -> str:
        """The client to serve next, of at least one that waits."""
        lanes: dict[Lane, list[str]] = {}
        for client in waiting:
            lanes.setdefault(Lane.of(client), []).append(client)
        lane = self._choose(lanes)
        return self._turns[lane].next(lanes[lane])

    def _choose(self, lanes: Mapping[Lane, list[str]]) -> Lane:
        others: list[Lane] = [lane for lane in lanes if lane is not Lane.JOB]
        if Lane.JOB in lanes and (not others or self._n_passed >= JOB_PATIENCE):
            self._n_passed = 0
            return Lane.JOB
        self._n_passed = self._n_passed + 1 if Lane.JOB in lanes else 0
        if len(others) == 2:
            others.remove(self._last)
        self._last = others[0]
        return self._last

    def charge(self, client: str, amount: float) -> None:
        """Count what a client uses."""
        self._turns[Lane.of(client)].charge(client, amount)
