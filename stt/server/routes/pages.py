"""``/`` and ``/docs``: the pages for browsers, and a summary for programs."""

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Response
from fastapi.responses import HTMLResponse

from stt import __version__
from stt.server.routes.health import status_of
from stt.server.schemas import SummaryResponse
from stt.server.state import Service, get_service

router = APIRouter(tags=["service"])

WEB = Path(__file__).parent.parent / "static"
PAGE, DOCS = WEB / "index.html", WEB / "docs.html"
# The page loads everything from this host, so injected code cannot call elsewhere. Audio is a blob
# in the browser; 'self' covers the WebSocket to this host too.
PAGE_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; media-src blob:; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
# Swagger UI uses inline styles, and icons in its style sheet.
DOCS_HEADERS = {
    **PAGE_HEADERS,
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
}
ENDPOINTS = {
    "transcribe": "POST /transcribe",
    "align": "POST /align",
    "openai": "POST /v1/audio/transcriptions",
    "alignments": "POST /v1/audio/alignments",
    "models": "GET /v1/models",
    "whisper": "POST /asr",
    "jobs": "POST /v1/jobs",
    "languages": "GET /languages",
    "health": "GET /health",
    "liveness": "GET /livez",
    "readiness": "GET /readyz",
    "metrics": "GET /metrics",
    "documentation": "GET /docs",
}


@router.get(
    "/",
    response_model=SummaryResponse,
    responses={200: {"content": {"text/html": {"schema": {"type": "string"}}}}},
)
async def root(
    service: Annotated[Service, Depends(get_service)], accept: Annotated[str, Header()] = ""
) -> SummaryResponse | Response:
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
    """The API description in Swagger UI, served from this host."""
    return HTMLResponse(DOCS.read_text(encoding="utf-8"), headers=DOCS_HEADERS)
