"""Builds the web application and runs its lifespan."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

from fastapi import FastAPI, Security
from fastapi.security import APIKeyHeader, HTTPBearer
from opentelemetry.trace import TracerProvider
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from stt import __version__
from stt.audio.pool import ReaderPool
from stt.audio.reading import warming_clip
from stt.decoding.decodings import Decodings
from stt.engines.base import Engine
from stt.engines.device import forward_threads
from stt.formats.findings import TRACK_HEADER, WARNINGS_HEADER
from stt.inference.observer import Observer
from stt.jobs.deliverer import Deliverer
from stt.jobs.runner import Runner
from stt.languages import Language, choose_languages
from stt.models.card import Cards
from stt.observability.metrics import Metrics
from stt.observability.tracing import SpanObserver, flush
from stt.recognition.pipeline import Transcriber
from stt.recognition.plan import Plan
from stt.recognition.streaming import LiveSessions
from stt.recognition.writings import Writings
from stt.server.admission import Admission
from stt.server.auth import ApiKeys
from stt.server.client_secrets import ClientSecrets
from stt.server.in_flight import AdmissionControl
from stt.server.job_bodies import JobSummary
from stt.server.jobs import JobRecogniser, check_jobs, open_desk
from stt.server.keys import ChargingObserver, KeyRing
from stt.server.middleware import (
    QUIET_PATHS,
    REQUEST_ID_HEADER,
    BodyLimit,
    HeadAsGet,
    LingeringClose,
    RequestContext,
    RequestRecord,
    UploadLimits,
)
from stt.server.openapi import describe
from stt.server.paths import ForwardedHeaders, PathPrefix, route_path
from stt.server.problems import PROBLEMS, answer_errors
from stt.server.routes import (
    align,
    client_secrets,
    health,
    jobs,
    kserve,
    openai,
    pages,
    realtime,
    stream,
    transcribe,
    whisper,
)
from stt.server.routes import languages as languages_route
from stt.server.routes import metrics as metrics_route
from stt.server.runtime import Connect, connect_locally
from stt.server.sites import SiteGuard
from stt.server.state import Service
from stt.server.wyoming.listener import check_access, listening
from stt.settings import Settings
from stt.speakers.finder import Speakers

logger = logging.getLogger(__name__)

KEY_SCHEMES = (
    Security(HTTPBearer(auto_error=False)),
    Security(APIKeyHeader(name="X-API-Key", auto_error=False)),
)
"""For the OpenAPI page only; the middleware does the refusing."""


class PageFiles(StaticFiles):
    """The page's files. Browsers revalidate their copies on every load.

    Otherwise they would mix new scripts with old ones after an upgrade.
    """

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, or 304 if the browser has it."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response


def create_app(
    settings: Settings,
    *,
    engine: Engine | None = None,
    readers: ReaderPool | None = None,
    tracer_provider: TracerProvider | None = None,
    connect: Connect | None = None,
) -> FastAPI:
    """Build the application. Models start loading when it starts.

    Args:
        settings: Read by the caller, once.
        engine: Serves every language in place of the checkpoints, for tests.
        readers: Used in place of a pool of the application's own, for tests; stays open.
        tracer_provider: Exports spans; None uses OpenTelemetry's global one, if any.
        connect: Provides the runtime; None runs models in this process.

    Raises:
        ConfigurationError: the settings contradict each other, or the key file is unreadable, or an
            extra is not installed.
    """
    languages = choose_languages(
        settings.languages, settings.models, demo=settings.demo, conventions=settings.conventions
    )
    decodings = Decodings(languages, settings)
    writings = Writings(settings)
    speakers = Speakers(settings)
    if settings.preload_spacing:
        writings.preload()
    connect = connect or partial(connect_locally, languages, settings, engine)
    keys = KeyRing(settings)
    check_jobs(settings)
    check_access(settings, has_keys=bool(keys))
    secrets = ClientSecrets(settings)
    admission = Admission(settings)
    metrics = Metrics()
    observer: Observer = metrics
    if tracer_provider is not None:
        observer = SpanObserver(tracer_provider, metrics)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        pool = readers or ReaderPool(settings)
        pool.start()  # its imports take seconds and overlap with the models'

        async def warm(language: Language, engine: Engine) -> None:
            decoding = await asyncio.to_thread(decodings.default, language, engine)
            await asyncio.to_thread(decoding.open, engine)  # spells a whole language model
            await unobserved.transcribe(warming_clip(), engine, Plan(decoding))

        runtime = connect(observer, metrics, admission, warm)
        scheduler = runtime.scheduler
        read = admission.backlog.counting(pool.read, scheduler)
        transcriber = Transcriber(scheduler, settings, read, ChargingObserver(observer))
        unobserved = Transcriber(scheduler, settings, pool.read)
        later = Transcriber(scheduler, settings, pool.read, ChargingObserver(observer))
        desk = open_desk(settings, metrics)
        live = LiveSessions(settings.max_live_sessions)
        admission.on_close(live.drain)
        service = app.state.service = Service(
            settings, languages, scheduler, runtime.engines, decodings, Cards(settings.cache_dir),
            writings, speakers, transcriber, admission, metrics, live, desk,
            forward_threads(settings.cpu_threads), runtime.collect, secrets,
        )  # fmt: skip
        if settings.demo:
            logger.warning(
                "DEMO: small bundled models, trained on one synthetic voice (espeak-ng). They "
                "show that the service works but cannot transcribe human speech. Start without "
                "--demo for real models."
            )
        loading = asyncio.create_task(runtime.engines.run())
        desk.start()
        runner = Runner(
            desk,
            JobRecogniser(service, later, keys),
            at_once=settings.jobs_at_once,
            ended=metrics.job_ended,
            resumed=metrics.windows_resumed.inc,
        )
        deliverer = Deliverer(desk, lambda job: JobSummary.of(job).model_dump_json())
        runner.start()
        deliverer.start()
        admission.on_close(runner.stop)
        try:
            async with listening(service):
                yield
        finally:
            await runner.close()
            await deliverer.close()
            await desk.close()
            loading.cancel()
            with suppress(asyncio.CancelledError):
                await loading
            transcriber.close()
            unobserved.close()
            later.close()
            if pool is not readers:
                pool.close()
            scheduler.close()
            if tracer_provider is not None:
                await flush(tracer_provider)

    app = FastAPI(
        title="stt-ctc",
        version=__version__,
        description="Speech to text with CTC models: Korean, English, Japanese, Chinese.",
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        responses={422: PROBLEMS[422]},
        generate_unique_id_function=lambda route: route.name,  # names of methods in clients
        docs_url=None,  # `routes.pages` serves the page
        redoc_url=None,
        lifespan=lifespan,
        telemetry={
            "tracer_provider": tracer_provider,
            "operation_spans": False,
            "auto_configure": False,
            "exclude": lambda scope: route_path(scope) in QUIET_PATHS,
        },
    )
    app.state.admission = admission
    # The innermost comes first.
    app.add_middleware(HeadAsGet)
    app.add_middleware(BodyLimit, limits=UploadLimits.of(settings))
    app.add_middleware(
        AdmissionControl,
        admission=admission,
        timeout_seconds=settings.request_timeout_seconds,
    )
    if keys:
        app.add_middleware(ApiKeys, keys=keys, secrets=secrets, metrics_open=settings.metrics_open)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=("GET", "HEAD", "POST", "DELETE"),
            allow_headers=("*",),  # answers with those asked for: clients add ever new ones
            expose_headers=(
                REQUEST_ID_HEADER,
                WARNINGS_HEADER,
                TRACK_HEADER,
                "Retry-After",
                "Location",
                "traceresponse",
            ),
        )
    app.add_middleware(SiteGuard, hosts=settings.allowed_hosts, origins=settings.cors_origins)
    app.add_middleware(LingeringClose)
    app.add_middleware(RequestRecord, metrics=metrics)
    app.add_middleware(RequestContext)
    if settings.root_path:
        app.add_middleware(PathPrefix, prefix=settings.root_path)
    if settings.trusted_proxies:
        app.add_middleware(ForwardedHeaders, trusted=settings.trusted_proxies)
    app.mount("/static/swagger", StaticFiles(packages=[("fastapi_offline", "static")]))
    app.mount("/static", PageFiles(directory=Path(__file__).parent / "static"))
    for module in (transcribe, align, openai, client_secrets, whisper, jobs):
        app.include_router(module.router, dependencies=KEY_SCHEMES if keys else ())
    for module in (stream, realtime, health, languages_route, pages, kserve, metrics_route):
        app.include_router(module.router)
    answer_errors(app)
    describe(app)
    return app
