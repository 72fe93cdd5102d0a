"""The three Ray Serve deployments, and the translation of Ray's exceptions."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from secrets import token_hex
from typing import Any, TypeVar
from uuid import uuid4

import ray
from fastapi import FastAPI
from prometheus_client.metrics_core import Metric
from pydantic import SecretStr
from ray import serve
from ray.exceptions import (
    NodeDiedError,
    ObjectLostError,
    RayActorError,
    RaySystemError,
    TaskCancelledError,
    WorkerCrashedError,
)
from ray.serve.config import AutoscalingConfig, AutoscalingPolicy
from ray.serve.exceptions import RayServeException
from ray.serve.handle import DeploymentHandle
from ray.serve.schema import LoggingConfig

from stt.cluster import loopback
from stt.cluster.dispatcher import CallRefused, ReplicaLost
from stt.cluster.ingress import ClusterConnection, OneRequestId
from stt.cluster.ledger import Ledger
from stt.cluster.replica import EngineReplica
from stt.cluster.scaling import QUEUED_SECONDS
from stt.cluster.wire import EngineReport, Failure, IngressReport, Reply, View
from stt.engines.base import Engine
from stt.engines.device import available_cores, prepare_process
from stt.engines.wants import Want
from stt.frames import AnyFrames
from stt.languages import choose_languages
from stt.observability.logs import configure_logging
from stt.settings import Settings
from stt.types import Waveform

T = TypeVar("T")

MAX_ONGOING_REQUESTS = 100_000
"""Concurrent calls per replica; high, so that windows queue in its Batcher, where we count them."""
LEDGER_TIMEOUT_SECONDS = 2.0
"""Timeout of a call to the ledger."""
HEALTH_CHECK_SECONDS = 5.0
"""Interval between health checks of a replica."""
LOOK_BACK_SECONDS = 15.0
"""The autoscaler averages the queue over this time."""
UPSCALE_DELAY_SECONDS = 5.0
"""How long the queue must be too long before an engine starts."""
INGRESS_TARGET = 32
"""Mean requests per ingress replica above which another one starts."""


async def call_engine(
    handle: DeploymentHandle[Any],
    language: str,
    waveform: Waveform,
    want: Want[AnyFrames],
    client: str,
) -> Reply | Failure:
    """A `stt.cluster.dispatcher.Call`; the only place that translates Ray's exceptions."""
    response = handle.submit.remote(language, waveform, want, client)
    try:
        reply: Reply | Failure = await response
    except asyncio.CancelledError:
        response.cancel()  # so that the engine drops a window that is still queued
        raise
    except (
        RayActorError, WorkerCrashedError, NodeDiedError, ObjectLostError, RaySystemError,
        TaskCancelledError,
    ) as error:  # fmt: skip
        raise ReplicaLost(f"{type(error).__name__}: {error}".partition("\n")[0]) from error
    except RayServeException as error:
        raise CallRefused(str(error)) from error
    return reply


async def ask_ledger(awaitable: Awaitable[T]) -> T:
    """Await the ledger, for at most `LEDGER_TIMEOUT_SECONDS`; raises TimeoutError."""
    async with asyncio.timeout(LEDGER_TIMEOUT_SECONDS):
        return await awaitable


class LedgerDeployment:
    """The one `Ledger` of the cluster, as a deployment."""

    def __init__(self) -> None:
        loopback.bind_replica()
        self._ledger = Ledger()

    async def report(
        self, member: str, report: EngineReport | IngressReport, families: list[Metric]
    ) -> View:
        """See `Ledger.report`."""
        return self._ledger.report(member, report, families)

    async def leave(self, member: str) -> None:
        """See `Ledger.leave`."""
        self._ledger.leave(member)

    async def metrics(self) -> list[Metric]:
        """See `Ledger.metrics`."""
        return self._ledger.metrics()

    async def view(self) -> View:
        """See `Ledger.view`."""
        return self._ledger.view()

    async def drain(self) -> None:
        """See `Ledger.drain`."""
        self._ledger.drain()

    async def close(self) -> None:
        """See `Ledger.close`."""
        self._ledger.close()


class EngineDeployment:
    """An `EngineReplica` as a deployment. Ray routes windows to it once its constructor returns."""

    async def __init__(  # type: ignore[misc]  # Ray awaits it
        self,
        settings: Settings,
        ledger: DeploymentHandle[Any],
        engine: Callable[[], Engine] | None,
    ) -> None:
        loopback.bind_replica()
        prepare_process(settings.cpu_threads)
        configure_logging(settings.log_level, settings.log_format)
        member = f"engine-{uuid4()}"

        async def send_report(report: EngineReport, families: list[Metric]) -> View:
            view: View = await ask_ledger(ledger.report.remote(member, report, families))
            return view

        self._replica = EngineReplica(settings, send_report, engine() if engine else None)
        await self._replica.load()
        self._reporting = asyncio.create_task(self._replica.run())

    async def submit(
        self, language: str, waveform: Waveform, want: Want[AnyFrames], client: str
    ) -> Reply | Failure:
        """See `EngineReplica.submit`."""
        return await self._replica.submit(language, waveform, want, client)

    async def check_health(self) -> None:
        """Raise to have Ray restart this replica."""
        self._replica.check()

    async def record_autoscaling_stats(self) -> dict[str, float]:
        """The figure that `stt.cluster.scaling` scales by."""
        return {QUEUED_SECONDS: self._replica.queued_seconds}


def build_ingress(
    settings: Settings, engines: DeploymentHandle[Any], ledger: DeploymentHandle[Any]
) -> FastAPI:
    """Create the application of an ingress replica."""
    prepare_process()
    from stt.observability.tracing import make_provider
    from stt.server.app import create_app

    configure_logging(settings.log_level, settings.log_format)
    member = f"ingress-{uuid4()}"

    async def send_report(report: IngressReport, families: list[Metric]) -> View:
        view: View = await ask_ledger(ledger.report.remote(member, report, families))
        return view

    async def collect() -> list[Metric]:
        families: list[Metric] = await ask_ledger(ledger.metrics.remote())
        return families

    cluster = ClusterConnection(
        choose_languages(
            settings.languages, settings.models, demo=settings.demo,
            conventions=settings.conventions,
        ),
        settings, partial(call_engine, engines), send_report, collect,
    )  # fmt: skip
    app = create_app(settings, tracer_provider=make_provider(settings), connect=cluster.connect)
    app.add_middleware(OneRequestId)
    live = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        """Finish startup, after which Ray sends requests, only when they can be answered."""
        async with live(app):
            await app.state.service.engines.join()
            yield

    app.router.lifespan_context = lifespan
    return app


def replicas(text: str, most: int) -> tuple[int, int]:
    """``2`` is (2, 2), ``1-8`` is (1, 8), ``auto`` is (1, ``most``)."""
    if text == "auto":
        return 1, max(1, most)
    least, _, greatest = text.partition("-")
    return int(least), int(greatest or least)


def autoscaling(text: str, most: int, **options: Any) -> dict[str, Any]:
    """Ray's options for this many replicas; ``2`` disables autoscaling."""
    least, greatest = replicas(text, most)
    if least == greatest:
        return {"num_replicas": least}
    bounds = {"min_replicas": least, "max_replicas": greatest}
    return {"autoscaling_config": AutoscalingConfig(**bounds, **options)}


def build_application(
    settings: Settings, *, engine: Callable[[], Engine] | None = None
) -> serve.Application:
    """Bind ledger, engines and ingress into an application for Ray Serve.

    Args:
        settings: Sent to all replicas.
        engine: Makes the engine for every language in each engine replica; for tests.

    Raises:
        ConfigurationError: the settings contradict each other.
    """
    choose_languages(
        settings.languages, settings.models, demo=settings.demo, conventions=settings.conventions
    )
    n_gpus = int(ray.cluster_resources().get("GPU", 0)) if ray.is_initialized() else 0
    on_gpu = settings.device.startswith("cuda") or (settings.device == "auto" and n_gpus > 0)
    threads = settings.cpu_threads or (1 if on_gpu else available_cores())
    settings = settings.model_copy(
        update={
            "cpu_threads": threads,
            # All ingress replicas must accept what one of them signs.
            "client_secret_key": settings.client_secret_key or SecretStr(token_hex()),
        }
    )
    quiet = LoggingConfig(enable_access_log=False, log_level="WARNING")
    common = {
        "max_ongoing_requests": MAX_ONGOING_REQUESTS,
        "graceful_shutdown_wait_loop_s": 0.2,
        "graceful_shutdown_timeout_s": settings.drain_timeout_seconds,
        "health_check_period_s": HEALTH_CHECK_SECONDS,
        "logging_config": quiet,
    }
    policy = AutoscalingPolicy(
        policy_function="stt.cluster.scaling:QueuePolicy",
        policy_kwargs={"target_seconds": settings.cluster_queue_seconds},
    )
    ledger = serve.deployment(
        LedgerDeployment, name="Ledger", num_replicas=1, ray_actor_options={"num_cpus": 0}, **common
    ).bind()
    engines = serve.deployment(
        EngineDeployment,
        name="Engine",
        ray_actor_options={"num_cpus": threads, "num_gpus": 1 if on_gpu else 0},
        **autoscaling(
            settings.cluster_engines,
            n_gpus,
            policy=policy,
            look_back_period_s=LOOK_BACK_SECONDS,
            upscale_delay_s=UPSCALE_DELAY_SECONDS,
            downscale_delay_s=settings.cluster_shrink_seconds,
        ),
        **common,
    ).bind(settings, ledger, engine)

    class Ingress:
        """Ray creates one in each ingress replica."""

        def __init__(self, engines: Any, ledger: Any) -> None:
            loopback.bind_replica()
            self._handles = engines, ledger

        def __serve_build_asgi_app__(self) -> FastAPI:
            return build_ingress(settings, *self._handles)

    return serve.deployment(
        serve.ingress()(Ingress),
        name="Ingress",
        ray_actor_options={"num_cpus": settings.cluster_ingress_cpus},
        **autoscaling(settings.cluster_ingresses, 4, target_ongoing_requests=INGRESS_TARGET),
        **common,
    ).bind(engines, ledger)
