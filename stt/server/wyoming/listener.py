"""Accepts Wyoming connections, from the application's start to its end."""

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_address

from stt.errors import ConfigurationError, Overloaded
from stt.inference.fairness import current_client
from stt.observability.logs import request_id
from stt.recognition.streaming import RETRY_SECONDS
from stt.server.clients import client_of
from stt.server.middleware import SWITCHING_PROTOCOLS
from stt.server.state import Service
from stt.server.wyoming.connection import Connection
from stt.server.wyoming.events import MAX_JSON_BYTES, Turns
from stt.settings import Settings

logger = logging.getLogger(__name__)

BESIDE_SPEECH = 64
"""Connections beside those that `max_live_sessions` allows to speak: they ask, or wait."""
LABELS = ("WYOMING", "wyoming")
"""Method and route of connections in the metrics."""


def check_access(settings: Settings, *, has_keys: bool) -> None:
    """Check that the settings do not let strangers in.

    Raises:
        ConfigurationError: Wyoming, which has no keys, would be open to other machines although
            the service has keys.
    """
    is_open = settings.wyoming_port is not None and not is_loopback(settings.wyoming_host)
    if is_open and has_keys and not settings.wyoming_without_keys:
        raise ConfigurationError(
            f"STT_WYOMING_HOST={settings.wyoming_host}: the Wyoming protocol has no keys, so "
            "whoever reaches its port would use the service without one. Listen on 127.0.0.1, or "
            "set STT_WYOMING_WITHOUT_KEYS=true if a firewall keeps strangers out."
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@asynccontextmanager
async def listening(service: Service) -> AsyncIterator[None]:
    """Accept connections within the block, if the settings ask for it.

    Raises:
        ConfigurationError: the port cannot be opened.
    """
    if service.settings.wyoming_port is None:
        yield
        return
    listener = WyomingListener(service)
    await listener.start()
    try:
        yield
    finally:
        await listener.close()


class WyomingListener:
    """The open port and its connections."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._turns = Turns()
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], Connection] = {}

    async def start(self) -> None:
        """Open the port.

        Raises:
            ConfigurationError: it cannot be opened.
        """
        settings = self._service.settings
        host, port = settings.wyoming_host, settings.wyoming_port
        try:
            self._server = await asyncio.start_server(
                self._accept, host, port, limit=MAX_JSON_BYTES
            )
        except OSError as error:
            raise ConfigurationError(
                f"STT_WYOMING_PORT: {host}:{port} cannot be opened: {error.strerror}. Each process "
                "of the service needs a port of its own."
            ) from None
        port = self._server.sockets[0].getsockname()[1]
        logger.info("listening on tcp://%s:%d for Wyoming", host, port)
        self._service.admission.on_close(self.drain)

    def drain(self) -> None:
        """Accept nothing new; utterances in progress may end."""
        if self._server is not None:
            self._server.close()
        for connection in self._connections.values():
            connection.drain()

    async def close(self) -> None:
        """End all connections."""
        self.drain()
        tasks = list(self._connections)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection; runs as a task of its own."""
        request_id.set(uuid.uuid4().hex)
        peer = writer.get_extra_info("peername") or ("", 0)
        client = client_of({"type": "websocket", "client": peer})
        current_client.set(client)
        connection = Connection(reader, writer, self._service, self._turns, client)
        most = self._service.settings.max_live_sessions + BESIDE_SPEECH
        if len(self._connections) >= most:
            await connection.refuse(
                Overloaded(f"{most} connections are open, which is the limit.", RETRY_SECONDS)
            )
            return
        task = asyncio.current_task()
        assert task is not None  # noqa: S101
        self._connections[task] = connection
        try:
            with suppress(asyncio.CancelledError):
                await self._serve(connection)
        finally:
            del self._connections[task]

    async def _serve(self, connection: Connection) -> None:
        """Converse, and count and log the connection."""
        metrics, loop = self._service.metrics, asyncio.get_running_loop()
        started = loop.time()
        code = None
        try:
            with metrics.requests_in_progress.labels(*LABELS).track_inprogress():
                code = await connection.run()
        finally:
            seconds = loop.time() - started
            if code is not None:
                metrics.request_failures.labels(code).inc()
            metrics.request_duration.labels(*LABELS, SWITCHING_PROTOCOLS).observe(seconds)
            extra = {"seconds": round(seconds, 3)} | ({"code": code} if code else {})
            logger.info("%s connection", LABELS[0], extra=extra)
