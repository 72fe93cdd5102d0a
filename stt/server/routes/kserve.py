"""Health routes of KServe and Triton, for platforms that probe them."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel

from stt.server.routes.health import readyz
from stt.server.state import Service, get_service

router = APIRouter(prefix="/v2/health", tags=["service"])


class Live(BaseModel):
    """Whether the process runs."""

    live: bool


class Ready(BaseModel):
    """Whether the service can transcribe."""

    ready: bool


NOT_READY: dict[int | str, dict[str, Any]] = {503: {"model": Ready, "description": "Not ready."}}


@router.get("/live")
async def live() -> Live:
    """200 unless the process should be killed."""
    return Live(live=True)


@router.get("/ready", responses=NOT_READY)
async def ready(service: Annotated[Service, Depends(get_service)], response: Response) -> Ready:
    """200 when every served language can be transcribed."""
    await readyz(service, response)
    return Ready(ready=response.status_code == 200)
