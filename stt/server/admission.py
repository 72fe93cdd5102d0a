"""Who may come in, decided before an upload is read, and until when a request may stay."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stt.errors import DeadlineExceeded, Draining, Overloaded, SttError
from stt.inference.scheduler import Scheduler
from stt.server.failures import CANCELLED, note_failure
from stt.server.problems import ProblemResponse, problem_of

READING = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that ask about the service; what else there is brings work."""


class Admission:
    """Knows who is inside: uploading, waiting, being computed, or connected by WebSocket."""

    def __init__(self, max_requests: int) -> None:
        self._max_requests = max_requests
        self._inside: set[_InFlightRequest] = set()
        self.n_sockets = 0
        self.draining = False
        """The service is about to stop; probes say so, and load balancers hear it."""
        self._told_when_closed: list[Callable[[], None]] = []
        self.closed = False
        """Nobody is taken in any more; what is inside is finished."""

    @property
    def n_inside(self) -> int:
        """Requests and WebSockets that were taken in and are not done."""
        return len(self._inside) + self.n_sockets

    def check(self, scheduler: Scheduler) -> None:
        """Ask before anything of a request but its head is read.

        Raises:
            Draining: the service is stopping.
            Overloaded: too many are inside, or too much audio waits.
        """
        if self.closed:
            raise stopping()
        scheduler.check_room()
        if len(self._inside) >= self._max_requests:
            raise Overloaded(
                f"{len(self._inside)} recordings are being transcribed or wait for it, the limit "
                f"here is {self._max_requests}. Try again a little later.",
                retry_after_seconds=scheduler.retry_after_seconds,
            )

    def close(self) -> None:
        """Take nobody in any more."""
        self.closed = True
        for tell in self._told_when_closed:
            tell()

    def tell_when_closed(self, tell: Callable[[], None]) -> None:
        """Call it then: those who would stay for ever are asked to end."""
        self._told_when_closed.append(tell)

    def enter(self, request: "_InFlightRequest") -> None:
        """Count it."""
        self._inside.add(request)

    def leave(self, request: "_InFlightRequest") -> None:
        """Count it no more."""
        self._inside.discard(request)

    def drop_all(self) -> None:
        """Answer every request that is inside with 503 and cancel its work."""
        for request in tuple(self._inside):
            request.drop(stopping())


def stopping() -> Draining:
    """What is said to those who come while the service stops, and to those who stayed too long."""
    return Draining(
        "The service is stopping. Send the request again: another instance, or this one once it "
        "is back, will take it.",
        retry_after_seconds=5.0,
    )


class AdmissionControl:
    """Middleware: takes in a request that brings work, or refuses it.

    Everything else (probes, metrics, the page) passes, however much is going on. A WebSocket is
    refused like a request but takes no place: what it sends goes through the queue piece by piece.
    """

    def __init__(self, app: ASGIApp, admission: Admission, timeout_seconds: float) -> None:
        """
        Args:
            app: What is inside.
            admission: Shared with whoever wants to know how many are inside.
            timeout_seconds: Longest time from the head of a request to its answer.
        """
        self._app = app
        self._admission = admission
        self._timeout_seconds = timeout_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return

        async def send_last(message: Message) -> None:
            # A client that keeps its connection would send its next request here, too.
            if message["type"] == "http.response.start" and self._admission.draining:
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        if scope.get("method") in READING:
            await self._app(scope, receive, send_last)
            return
        try:
            self._admission.check(scope["app"].state.service.scheduler)
        except SttError as error:
            await refuse(problem_of(error), scope, receive, send_last)
            return
        if scope["type"] == "websocket":
            self._admission.n_sockets += 1
            try:
                await self._app(scope, receive, send)
            finally:
                self._admission.n_sockets -= 1
            return
        request = _InFlightRequest(self._admission, receive, send_last)
        await request.run(self._app, scope, self._timeout_seconds)


class _InFlightRequest:
    """One request that is inside: its work ends when it is answered, too late or not wanted."""

    def __init__(self, admission: Admission, receive: Receive, send: Send) -> None:
        self._admission = admission
        self._receive_outside = receive
        self._send_outside = send
        self._began_answer = self._ended_answer = False
        self._client_gone = False
        self._dropped: SttError | None = None
        self._timeout: asyncio.Timeout | None = None
        self._watcher: asyncio.Task[None] | None = None

    async def run(self, app: ASGIApp, scope: Scope, seconds: float) -> None:
        """Have it answered by the application, within so many seconds."""
        self._admission.enter(self)
        try:
            # Plain cancellation, once: what has to be waited for on the way out (a thread that
            # reads the upload) is waited for, which anyio's scopes would not allow.
            async with asyncio.timeout(seconds) as self._timeout:
                await app(scope, self._receive, self._send)
        except TimeoutError:
            if not (self._timeout and self._timeout.expired()):
                raise
            error = self._dropped or DeadlineExceeded(
                f"There was no text after {seconds:g} s, the limit here. Send a shorter "
                "recording, or try again when there is less to do."
            )
            note_failure(scope, error.code)
            if not (self._client_gone or self._began_answer):
                await problem_of(error)(scope, self._receive, self._send)
        finally:
            if self._client_gone:
                note_failure(scope, CANCELLED)
            if self._watcher is not None:
                self._watcher.cancel()
            self._admission.leave(self)

    def drop(self, error: SttError) -> None:
        """Cancel the work and answer with the error."""
        self._dropped = error
        self._reschedule(0)

    def _reschedule(self, when: float | None) -> None:
        """Move the deadline: 0 is now, None is never."""
        with suppress(RuntimeError):  # it has not begun, or is ending already
            if self._timeout is not None:
                self._timeout.reschedule(when)

    async def _receive(self) -> Message:
        if self._watcher is not None:
            await asyncio.shield(self._watcher)
            return {"type": "http.disconnect"}
        message = await self._receive_outside()
        if message["type"] == "http.disconnect":
            self._client_gone = not self._ended_answer
        elif not message.get("more_body", False):
            self._watcher = asyncio.create_task(self._watch())
        return message

    async def _watch(self) -> None:
        """After the upload nothing comes any more but the client's end."""
        while (await self._receive_outside())["type"] != "http.disconnect":
            pass
        if not self._ended_answer:  # servers tell the end of the answer in the same words
            self._client_gone = True
            self._reschedule(0)

    async def _send(self, message: Message) -> None:
        self._began_answer = True
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            # With its last byte, not later: whoever reads the answer may come again at once.
            self._ended_answer = True
            self._admission.leave(self)
            self._reschedule(None)
        await self._send_outside(message)


async def refuse(answer: ProblemResponse, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer instead of the application; a WebSocket is refused before it is accepted."""
    if scope["type"] == "websocket" and "websocket.http.response" not in scope["extensions"]:
        await send({"type": "websocket.close", "code": 1008, "reason": ""})
        return
    await answer(scope, receive, send)
