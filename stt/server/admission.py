"""Whether there is room for a request, and which requests are in the service."""

from collections.abc import Callable
from typing import Protocol

from stt.errors import Draining, Overloaded, SttError
from stt.inference.scheduler import Scheduler
from stt.server.backlog import Backlog
from stt.server.places import Places
from stt.settings import Settings


class Admitted(Protocol):
    """An admitted request; see `stt.server.in_flight`."""

    def drop(self, error: SttError) -> None:
        """Cancel the work and answer with the error."""
        ...


class Admission:
    """Tracks admitted requests, from upload to answer, and open WebSockets."""

    def __init__(self, settings: Settings) -> None:
        self.uploads = Places(settings.max_uploads)
        """Requests whose body is arriving. Apart from the others, so that slow uploads keep nobody
        from the model."""
        self.work = Places(settings.max_queue_requests)
        """Recordings that are queued or running."""
        self.backlog = Backlog(settings)
        self._inside: set[Admitted] = set()
        self.n_sockets = 0
        self.draining = False
        """The service is about to stop; probes report it to load balancers."""
        self._on_close: list[Callable[[], None]] = []
        self.closed = False
        """The service admits nothing new and finishes what it has admitted."""

    @property
    def n_inside(self) -> int:
        """Admitted requests and WebSockets that are not done."""
        return len(self._inside) + self.n_sockets

    def check(self, scheduler: Scheduler, client: str) -> None:
        """Refuse work that there is no room for. Call it when only the head has been read.

        Raises:
            Draining: the service is stopping.
            Overloaded: too many requests are admitted, too much audio is queued or still to come.
        """
        self.check_upload(scheduler, client)
        scheduler.check_room()
        self.backlog.check(client, scheduler.rtfx)
        self.check_work(scheduler, client)

    def check_upload(self, scheduler: Scheduler, client: str) -> None:
        """The part of `check` that holds for jobs too.

        Raises:
            Draining: the service is stopping.
            Overloaded: too many uploads are arriving.
        """
        if self.closed:
            raise stopping()
        self.check_places(self.uploads, "uploads at once", scheduler, client)

    def check_work(self, scheduler: Scheduler, client: str) -> None:
        """Check again when the upload is complete.

        Raises:
            Overloaded: too many recordings are queued or running.
        """
        self.check_places(self.work, "recordings in the queue", scheduler, client)

    def check_places(self, places: Places, what: str, scheduler: Scheduler, client: str) -> None:
        """
        Raises:
            Overloaded: this client can have no place now.
        """
        if places.is_full(client):
            raise Overloaded(
                f"The limit of {places.limit} {what} is reached. Try again later.",
                retry_after_seconds=max(
                    scheduler.retry_after_seconds,
                    self.backlog.seconds_until_place(client, scheduler.rtfx),
                ),
            )

    def close(self) -> None:
        """Admit nothing new."""
        self.closed = True
        for callback in self._on_close:
            callback()

    def on_close(self, callback: Callable[[], None]) -> None:
        """Call back on `close`, so that sessions without an end of their own can end."""
        self._on_close.append(callback)

    def enter(self, request: Admitted) -> None:
        """Count a request."""
        self._inside.add(request)

    def leave(self, request: Admitted) -> None:
        """Stop counting a request."""
        self._inside.discard(request)

    def drop_all(self) -> None:
        """Answer every admitted request with 503 and cancel its work."""
        for request in tuple(self._inside):
            request.drop(stopping())


def stopping() -> Draining:
    """The error for requests that arrive during shutdown, or outlast it."""
    return Draining(
        "The service is stopping. Send the request again: another instance may take it, or this "
        "one after its restart.",
        retry_after_seconds=5.0,
    )
