"""The application's `Runtime` in an ingress replica."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stt.cluster.dispatcher import RETRY_SECONDS, Call, Dispatcher
from stt.cluster.engines import ClusterEngines
from stt.cluster.ledger import registry_of
from stt.cluster.wire import IngressReport, View
from stt.errors import ClusterUnavailable
from stt.inference.observer import Observer
from stt.languages import Languages
from stt.observability.metrics import Metrics
from stt.server.admission import Admission
from stt.server.middleware import REQUEST_ID_HEADER
from stt.server.runtime import Runtime, Warm
from stt.settings import Settings

ReportIngress: TypeAlias = Callable[[IngressReport, list[Metric]], Awaitable[View]]
"""Reports to the ledger."""
Collect: TypeAlias = Callable[[], Awaitable[list[Metric]]]
"""Fetches the metrics of all replicas from the ledger."""


@dataclass(frozen=True)
class ClusterConnection:
    """How an ingress reaches the other replicas; `connect` is a `stt.server.runtime.Connect`."""

    languages: Languages
    settings: Settings
    call: Call
    send_report: ReportIngress
    collect: Collect

    def connect(
        self, observer: Observer, metrics: Metrics, admission: Admission, warm: Warm
    ) -> Runtime:
        """Present the cluster to the application as a `Runtime`."""

        async def send_report() -> View:
            report = IngressReport(dispatcher.outstanding, admission.n_inside)
            return await self.send_report(report, list(metrics.registry.collect()))

        def on_view(view: View) -> None:
            admission.draining = view.draining
            if view.closed and not admission.closed:
                admission.close()

        async def collect() -> CollectorRegistry:
            try:
                await send_report()  # to include this process's latest counts
                return registry_of(await self.collect())
            except Exception as error:
                # With this process's metrics alone, counters would fall and then rise again.
                raise ClusterUnavailable(
                    "The metrics of the cluster are not available now. Try again later.",
                    RETRY_SECONDS,
                ) from error

        engines = ClusterEngines(self.languages, send_report, warm, on_view)
        dispatcher = Dispatcher(
            self.call,
            engines,
            observer,
            metrics.windows_resent.inc,
            max_queue_seconds=self.settings.max_queue_seconds,
            queue_timeout_seconds=self.settings.queue_timeout_seconds,
            stall_seconds=self.settings.stall_seconds,
        )
        return Runtime(dispatcher, engines, collect)


class OneRequestId:
    """Outermost middleware; removes our ``X-Request-ID`` where Ray's proxy adds the same one.

    The proxy chooses the id, or takes the client's, before the request gets here.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Remove our header if the proxy adds the same."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(REQUEST_ID_HEADER)

        async def send_once(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get(REQUEST_ID_HEADER) == given:
                    del headers[REQUEST_ID_HEADER]
            await send(message)

        await self._app(scope, receive, send_once)
