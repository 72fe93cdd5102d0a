"""``stt serve --cluster``: runs Ray Serve on this machine or the cluster that it belongs to."""

import logging
import os
import signal
import socket
import time
from collections.abc import Callable
from contextlib import closing
from http import HTTPStatus
from http.client import HTTPConnection
from typing import Any

from stt.cluster import loopback, require_ray
from stt.engines.base import Engine
from stt.engines.device import prepare_process
from stt.observability.logs import configure_logging
from stt.server.graceful_shutdown import CLOSING_SECONDS, end_at_once, stop_signals
from stt.settings import Settings

logger = logging.getLogger(__name__)

# Ray reads these at import.
ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DEDUP_LOGS": "0",
    "RAY_COLOR_PREFIX": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    # Under `uv run` Ray would copy the whole working directory for its workers.
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    # The default, 0.1 s, costs a tenth of a core and notices dead replicas no sooner.
    "RAY_SERVE_CONTROL_LOOP_INTERVAL_S": "0.5",
    "RAY_SERVE_REPLICA_AUTOSCALING_METRIC_PUSH_INTERVAL_S": "2",
}
POLL_SECONDS = 0.2


def free_port(host: str) -> int:
    """A port that is not in use; Ray Serve cannot choose one."""
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def run(settings: Settings, *, engine: Callable[[], Engine] | None = None) -> None:
    """Serve until SIGTERM, SIGINT or SIGHUP.

    Args:
        settings: Sent to all replicas.
        engine: Makes the engine for every language in each engine replica; for tests.

    Raises:
        ConfigurationError: the extra `cluster` is missing, or the settings contradict each other.
    """
    prepare_process()
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    loopback.prepare()
    configure_logging(settings.log_level, settings.log_format)
    require_ray()
    import ray
    from ray import serve

    from stt.cluster import deployments

    received: list[int] = []

    def on_signal(number: int, _: Any) -> None:
        if received:
            # Wait for nothing: Ray's processes end with their driver.
            end_at_once(number)
        received.append(number)

    if not ray.is_initialized():
        address = os.environ.get("RAY_ADDRESS")
        local = {} if address else {"num_cpus": max(2, os.cpu_count() or 2)}
        ray.init(
            address=address, include_dashboard=False if not address else None,
            logging_level=logging.WARNING, namespace="serve", **local,
        )  # fmt: skip
    for number in stop_signals():
        signal.signal(number, on_signal)
    port = settings.port or free_port(settings.host)
    serve.start(
        proxy_location="EveryNode",
        http_options={
            "host": settings.host,
            "port": port,
            "keep_alive_timeout_s": settings.idle_connection_seconds,
        },
    )
    application = deployments.build_application(settings, engine=engine)
    serve.run_many(
        [serve.RunTarget(application, name="stt", route_prefix="/")],
        wait_for_ingress_deployment_creation=True,
        wait_for_applications_running=False,
    )
    while not received and not _answers(settings.host, port):
        time.sleep(POLL_SECONDS)
    logger.info("listening on http://%s:%d", settings.host, port)
    while not received:
        time.sleep(POLL_SECONDS)
    ledger = serve.get_deployment_handle("Ledger", app_name="stt")
    logger.info("stopping: finishing open requests")
    _drain(ledger, settings, delay=received[0] != signal.SIGINT)
    serve.shutdown()
    ray.shutdown()


def _answers(host: str, port: int) -> bool:
    """Whether an ingress replica answers; until then Ray's proxy holds requests."""
    address = "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104
    connection = HTTPConnection(address, port, timeout=1)
    try:
        connection.request("GET", "/livez")
        return connection.getresponse().status == HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()


def _drain(ledger: Any, settings: Settings, *, delay: bool) -> None:
    """Fail probes, refuse new requests, finish open ones; see `stt.server.graceful_shutdown`."""
    ledger.drain.remote().result(timeout_s=CLOSING_SECONDS)
    if delay:
        time.sleep(settings.drain_delay_seconds)
    ledger.close.remote().result(timeout_s=CLOSING_SECONDS)
    deadline = time.monotonic() + settings.drain_timeout_seconds
    time.sleep(ledger.view.remote().result(timeout_s=CLOSING_SECONDS).next_report_seconds)
    while (n := ledger.view.remote().result(timeout_s=CLOSING_SECONDS).n_inside) > 0:
        if time.monotonic() > deadline:
            logger.warning("stopping: dropping %d unfinished requests", n)
            break
        time.sleep(POLL_SECONDS)
