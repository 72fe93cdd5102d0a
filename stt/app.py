"""The web application: its parts, its life, and the one table from errors to statuses."""

import asyncio
import logging
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from io import BytesIO
from pathlib import Path

import numpy as np
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from stt import __version__, errors, logs
from stt.batcher import Batcher
from stt.engine import Engine
from stt.languages import choose_languages
from stt.loader import EngineLoader
from stt.middleware import BodyLimit, RequestContext
from stt.responses import PROBLEMS, Problem, ProblemResponse
from stt.routes import health, transcribe
from stt.service import Service
from stt.settings import Settings
from stt.transcriber import Transcriber

logger = logging.getLogger(__name__)

STATUSES: dict[type[errors.SttError], int] = {
    errors.UnsupportedLanguage: 400,
    errors.InvalidParameter: 400,
    errors.UnsupportedFormat: 415,
    errors.InvalidAudio: 400,
    errors.AudioTooLong: 413,
    errors.UploadTooLarge: 413,
    errors.ModelUnreachable: 503,
    errors.ModelLoading: 503,
    errors.ModelBroken: 503,
    errors.Overloaded: 429,
    errors.InferenceFailed: 500,
    errors.ConfigurationError: 500,
}
"""The status of each error that can reach a client."""

CODES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: errors.UploadTooLarge.code,
}
"""Codes of what the framework itself refuses."""


def create_app(settings: Settings, *, engine: Engine | None = None) -> FastAPI:
    """Build the application; models begin to load when it is started.

    Args:
        settings: Read by the caller, once.
        engine: Serves every language instead of the checkpoints, for tests.

    Raises:
        ConfigurationError: the settings cannot work together.
    """
    languages = choose_languages(settings.languages, settings.models, demo=settings.demo)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        batcher = Batcher(
            cpu_threads=settings.cpu_threads,
            batch_seconds=settings.batch_seconds,
            max_queue_seconds=settings.max_queue_seconds,
        )
        transcriber = Transcriber(batcher, settings)

        async def warm(engine: Engine) -> None:
            await transcriber.transcribe(warming_clip(), engine)

        loader = EngineLoader(languages, settings, warm, engine)
        app.state.service = Service(settings, languages, batcher, loader, transcriber)
        if settings.demo:
            logger.warning(
                "DEMO: small bundled models, trained on one synthetic voice (espeak-ng). They "
                "show that the service works; they do not understand people. Start without "
                "--demo for real models."
            )
        loading = asyncio.create_task(loader.run())
        try:
            yield
        finally:
            loading.cancel()
            with suppress(asyncio.CancelledError):
                await loading
            transcriber.close()
            batcher.close()

    app = FastAPI(
        title="stt-ctc",
        version=__version__,
        description="Speech to text with Wav2Vec2 CTC models: Korean, English, Japanese, Chinese.",
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        responses={422: PROBLEMS[422]},
        lifespan=lifespan,
    )
    app.add_middleware(BodyLimit, max_bytes=int(settings.max_upload_mb * 1e6))
    app.add_middleware(RequestContext)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "web"))
    app.include_router(transcribe.router)
    app.include_router(health.router)
    app.add_exception_handler(errors.SttError, _on_stt_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(Exception, _on_bug)
    return app


def warming_clip() -> BytesIO:
    """A second of faint noise at 44.1 kHz in stereo: wakes decoder, resampler and model."""
    noise = np.random.default_rng(0).normal(0, 30, (44_100, 2)).astype("<i2")
    clip = BytesIO()
    with wave.open(clip, "wb") as file:
        file.setparams((2, 2, 44_100, 0, "NONE", ""))
        file.writeframes(noise.tobytes())
    return clip


def problem(
    status: int, code: str, detail: str, headers: dict[str, str] | None = None
) -> ProblemResponse:
    """An error answer."""
    body = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        code=code,
        request_id=logs.request_id.get(),
    )
    return ProblemResponse(body.model_dump(), status, headers)


async def _on_stt_error(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, errors.SttError)  # noqa: S101
    status = STATUSES[type(error)]
    if status >= 500:
        logger.error("%s: %s", error.code, error.message, exc_info=error.__cause__)
    headers = {}
    if isinstance(error, errors.ModelLoading | errors.Overloaded):
        headers["Retry-After"] = str(round(error.retry_after_seconds + 0.5))
    return problem(status, error.code, error.message, headers)


async def _on_invalid_request(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    faults = []
    for fault in error.errors():
        field = str(fault["loc"][-1])
        if field == "file":
            faults.append(
                "The part 'file' is missing or is no file; send the recording as "
                "multipart/form-data (curl -F file=@clip.wav)"
            )
        else:
            faults.append(f"{field}: {fault['msg']}")
    return problem(422, errors.InvalidParameter.code, "; ".join(faults) + ".")


async def _on_http_error(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, HTTPException)  # noqa: S101
    details = {
        404: f"There is nothing at {request.url.path[:100]!r}. GET / lists the routes.",
        405: f"{request.method} is not possible at {request.url.path[:100]!r}.",
    }
    code = CODES.get(error.status_code, "http_error")
    detail = details.get(error.status_code, str(error.detail))
    return problem(error.status_code, code, detail, dict(error.headers or {}))


async def _on_bug(request: Request, error: Exception) -> ProblemResponse:
    logger.critical("unexpected error", exc_info=error)
    return problem(
        500, "internal_error", "The service made a mistake. The log has it under the request id."
    )
