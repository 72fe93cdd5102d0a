"""Routes about the service itself: is it alive, is it ready, what does it speak."""

from pathlib import Path
from typing import Annotated, Any

import psutil
from fastapi import APIRouter, Depends, Header, Response
from fastapi.responses import HTMLResponse

from stt import __version__
from stt.engines.device import available_cores
from stt.languages import Languages
from stt.models.state import Status
from stt.server.schemas import (
    HealthResponse,
    LanguageEntry,
    LanguagesResponse,
    ModelHealth,
    SummaryResponse,
)
from stt.server.state import Service, get_service

router = APIRouter(tags=["service"])

Use = Annotated[Service, Depends(get_service)]
WEB = Path(__file__).parent.parent / "static"
PAGE, DOCS = WEB / "index.html", WEB / "docs.html"
# The page takes everything from here, so nothing that gets into it can call elsewhere. Its sound is
# the recording that the browser holds; 'self' covers the WebSocket to this host and port too.
PAGE_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; media-src blob:; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
# Swagger UI sets styles inline, and has its icons in its style sheet.
DOCS_HEADERS = {
    **PAGE_HEADERS,
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
}
ENDPOINTS = {
    "transcribe": "POST /transcribe",
    "openai": "POST /v1/audio/transcriptions",
    "models": "GET /v1/models",
    "whisper": "POST /asr",
    "languages": "GET /languages",
    "health": "GET /health",
    "liveness": "GET /livez",
    "readiness": "GET /readyz",
    "metrics": "GET /metrics",
    "documentation": "GET /docs",
}
NOT_READY: dict[int | str, dict[str, Any]] = {
    503: {"model": HealthResponse, "description": "Not ready: loading, failed or draining."}
}


def status_of(service: Service) -> str:
    """The service's state in the word that `/health` uses."""
    if service.admission.draining:
        return "draining"
    if service.scheduler.fault is not None:
        return Status.FAILED.value
    status = service.engines.status
    return "ok" if status is Status.READY else status.value


@router.get(
    "/livez", responses={503: {"model": dict[str, str], "description": "Start the process anew."}}
)
async def livez(service: Use, response: Response) -> dict[str, str]:
    """200 unless the process should be killed; for liveness probes."""
    reason = service.scheduler.fault
    if reason is not None:
        response.status_code = 503
        return {"status": "failed", "reason": reason}
    return {"status": "ok"}


@router.get("/readyz", responses={503: {"model": dict[str, str], "description": "Not ready."}})
async def readyz(service: Use, response: Response) -> dict[str, str]:
    """200 when every served language can be transcribed; for readiness probes."""
    status = status_of(service)
    response.status_code = 200 if status == "ok" else 503
    return {"status": status}


@router.get("/health", responses=NOT_READY)
async def health(service: Use, response: Response) -> HealthResponse:
    """The same with all details: how far each model is, and why not further."""
    status = status_of(service)
    response.status_code = 200 if status == "ok" else 503
    main = service.languages.default
    engine = service.engines.find_engine(main)
    states = [(language, service.engines.state(language)) for language in service.languages]
    return HealthResponse(
        status=status,
        model_loaded=engine is not None,
        processor_loaded=engine is not None,
        device=None if engine is None else engine.device,
        model_id=main.model.id,
        cpu_threads=service.cpu_threads,
        cpu_cores=available_cores(),
        memory_mb=round(psutil.Process().memory_info().rss / 1e6, 1),
        demo=service.settings.demo,
        models=[
            ModelHealth(
                language=language.code,
                model_id=language.model.id,
                revision=language.model.revision,
                status=state.status.value,
                step=state.step,
                bytes_done=state.bytes_done,
                bytes_total=state.bytes_total,
                retry_in_seconds=state.retry_in_seconds,
                reason=state.reason,
                warning=state.warning,
            )
            for language, state in states
        ],
    )


@router.get("/languages")
async def languages(service: Use) -> LanguagesResponse:
    """The served languages, the spellings that requests may use, and the models behind them."""
    return list_languages(service.languages)


def list_languages(languages: Languages) -> LanguagesResponse:
    """The same of any languages."""
    return LanguagesResponse(
        languages=[
            LanguageEntry(
                code=language.code,
                name=language.name,
                native_name=language.native_name,
                tag=language.tag,
                aliases=sorted(language.spellings() - {language.code.lower()}),
                model_id=language.model.id,
                revision=language.model.revision,
                default=language is languages.default,
            )
            for language in languages
        ]
    )


@router.get(
    "/",
    response_model=SummaryResponse,
    responses={200: {"content": {"text/html": {"schema": {"type": "string"}}}}},
)
async def root(service: Use, accept: Annotated[str, Header()] = "") -> SummaryResponse | Response:
    """A summary for programs; the web page for browsers (``Accept: text/html``)."""
    if "text/html" in accept:
        return HTMLResponse(PAGE.read_text(encoding="utf-8"), headers=PAGE_HEADERS)
    return SummaryResponse(
        name="stt-ctc",
        version=__version__,
        status=status_of(service),
        demo=service.settings.demo,
        languages=service.languages.codes,
        endpoints=ENDPOINTS,
    )


@router.get("/docs", include_in_schema=False)
async def docs() -> HTMLResponse:
    """This description, to read and to try; nothing of it comes from another host."""
    return HTMLResponse(DOCS.read_text(encoding="utf-8"), headers=DOCS_HEADERS)
