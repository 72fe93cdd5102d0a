"""Admits or refuses a request before its upload is read, and ends it at its deadline."""

import asyncio
from contextlib import suppress

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stt.errors import DeadlineExceeded, Overloaded, SttError
from stt.inference.fairness import current_client
from stt.inference.scheduler import Scheduler
from stt.models.usage import leasing
from stt.server.admission import Admission
from stt.server.clients import client_of
from stt.server.failures import CANCELLED, note_failure
from stt.server.paths import JOBS_PATH, SAFE_METHODS, route_path
from stt.server.places import Places
from stt.server.problems import problem_of, refuse
from stt.server.sse import EventStream, error_event

ANSWER_SHARE = 0.1
"""Part of a request's time that is left when it gives up waiting for a model."""
LAST_EVENT_SECONDS = 2.0
"""Time to send a stream's last event to a client that may not read."""


class AdmissionControl:
    """Middleware that admits or refuses requests that bring work.

    Everything else (probes, metrics, the page) always passes. WebSockets can be refused but do not
    count towards the limit: their audio goes through the queue piece by piece.
    """

    def __init__(self, app: ASGIApp, admission: Admission, timeout_seconds: float) -> None:
        """
        Args:
            app: The application.
            admission: Counts the admitted requests.
            timeout_seconds: Limit from the head of a request to its answer.
        """
        self._app = app
        self._admission = admission
        self._timeout_seconds = timeout_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return

        async def send_last(message: Message) -> None:
            # A client that reuses the connection would send its next request here too.
            if message["type"] == "http.response.start" and self._admission.draining:
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        if scope.get("method") in SAFE_METHODS:
            await self._app(scope, receive, send_last)
            return
        client = client_of(scope)
        token = current_client.set(client)
        try:
            await self._admit(client, scope, receive, send_last)
        finally:
            current_client.reset(token)

    async def _admit(self, client: str, scope: Scope, receive: Receive, send: Send) -> None:
        scheduler = scope["app"].state.service.scheduler
        is_for_later = _is_for_later(scope)
        try:
            if is_for_later:
                self._admission.check_upload(scheduler, client)
            else:
                self._admission.check(scheduler, client)
        except SttError as error:
            await refuse(problem_of(error), scope, receive, send)
            return
        if scope["type"] == "websocket":
            self._admission.n_sockets += 1
            try:
                with leasing():
                    await self._app(scope, receive, send)
            finally:
                self._admission.n_sockets -= 1
            return
        request = _InFlightRequest(
            self._admission, scheduler, client, receive, send, is_work=not is_for_later
        )
        with leasing((1 - ANSWER_SHARE) * self._timeout_seconds):
            await request.run(self._app, scope, self._timeout_seconds)


def _is_for_later(scope: Scope) -> bool:
    """Whether it brings work for later, so that a full backlog does not refuse it."""
    path = route_path(scope)
    return path == JOBS_PATH or path.startswith(f"{JOBS_PATH}/")


class _InFlightRequest:
    """An admitted request. Its work is cancelled at the deadline or when the client leaves."""

    def __init__(
        self,
        admission: Admission,
        scheduler: Scheduler,
        client: str,
        receive: Receive,
        send: Send,
        *,
        is_work: bool,
    ) -> None:
        """``is_work``: its recording is transcribed before the answer."""
        self._is_work = is_work
        self._admission, self._scheduler, self._client = admission, scheduler, client
        self._place: Places | None = None
        """Where it has a place now."""
        self._receive_outside = receive
        self._send_outside = send
        self._began_answer = self._ended_answer = False
        self._streams_events = False
        self._client_gone = False
        self._dropped: SttError | None = None
        self._timeout: asyncio.Timeout | None = None
        self._watcher: asyncio.Task[None] | None = None

    async def run(self, app: ASGIApp, scope: Scope, seconds: float) -> None:
        """Have the application answer within ``seconds``."""
        self._admission.enter(self)
        self._move(self._admission.uploads)
        try:
            # Cancels once, so that cleanup can wait for a thread that reads the upload. anyio's
            # cancel scopes would cancel that wait too.
            async with asyncio.timeout(seconds) as self._timeout:
                await app(scope, self._receive, self._send)
        except TimeoutError:
            if not (self._timeout and self._timeout.expired()):
                raise
            error = self._dropped or DeadlineExceeded(
                f"The request exceeded the {seconds:g} s limit. Send a shorter recording, or try "
                "again when the service is less busy."
            )
            note_failure(scope, error.code)
            if not (self._client_gone or self._ended_answer):
                await self._tell(error, scope)
        finally:
            if self._client_gone:
                note_failure(scope, CANCELLED)
            if self._watcher is not None:
                self._watcher.cancel()
            self._leave()

    async def _tell(self, error: SttError, scope: Scope) -> None:
        """Answer with the error, or end the events that have begun with it."""
        if not self._began_answer:
            await problem_of(error)(scope, self._receive, self._send)
        elif self._streams_events:
            event = {"type": "http.response.body", "body": error_event(error).encode()}
            with suppress(TimeoutError):
                async with asyncio.timeout(LAST_EVENT_SECONDS):
                    await self._send(event)

    def _leave(self) -> None:
        self._admission.leave(self)
        self._move(None)

    def _move(self, place: Places | None) -> None:
        """Give up the place that it has, and take one there."""
        if self._place is not None:
            self._place.give_back(self._client)
        if place is not None:
            place.take(self._client)
        self._place = place

    async def _begin_work(self) -> None:
        """Take a place among the recordings that are queued or running, or drop the request."""
        try:
            self._admission.check_work(self._scheduler, self._client)
        except Overloaded as error:
            self.drop(error)
            await asyncio.Event().wait()  # until the cancellation that `drop` causes
        self._move(self._admission.work)

    def drop(self, error: SttError) -> None:
        """Cancel the work and answer with the error."""
        self._dropped = error
        self._reschedule(0)

    def _reschedule(self, when: float | None) -> None:
        """Move the deadline: 0 is now, None never."""
        with suppress(RuntimeError):  # not begun, or already ending
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
            if self._is_work and self._place is self._admission.uploads:
                await self._begin_work()
        return message

    async def _watch(self) -> None:
        """Wait for the client to disconnect; after the upload nothing else can arrive."""
        while (await self._receive_outside())["type"] != "http.disconnect":
            pass
        if not self._ended_answer:  # servers also send it after the answer
            self._client_gone = True
            self._reschedule(0)

    async def _send(self, message: Message) -> None:
        self._began_answer = True
        if message["type"] == "http.response.start":
            kind = Headers(raw=message["headers"]).get("content-type", "")
            self._streams_events = kind.startswith(EventStream.media_type)
        elif message["type"] == "http.response.body" and not message.get("more_body", False):
            # With the last byte, not later: the client may send its next request at once.
            self._ended_answer = True
            self._leave()
            self._reschedule(None)
        await self._send_outside(message)
