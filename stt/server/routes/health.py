"""``/livez``, ``/readyz`` and ``/health``: whether the service is alive and ready."""

from typing import Annotated, Any

import psutil
from fastapi import APIRouter, Depends, Response

from stt.engines.device import available_cores
from stt.models.state import Status
from stt.server.schemas import HealthResponse, ModelHealth
from stt.server.state import Service, get_service

router = APIRouter(tags=["service"])

Use = Annotated[Service, Depends(get_service)]
NOT_READY: dict[int | str, dict[str, Any]] = {
    503: {"model": HealthResponse, "description": "Not ready: loading, failed or draining."}
}


def status_of(service: Service) -> str:
    """The ``status`` in `/health`."""
    if service.admission.draining:
        return "draining"
    if service.scheduler.fault is not None:
        return Status.FAILED.value
    status = service.engines.status
    return "ok" if status is Status.READY else status.value


@router.get(
    "/livez",
    responses={503: {"model": dict[str, str], "description": "The process must be restarted."}},
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
    """Readiness with details: the state of each model, and why it is not ready."""
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
        model_id=main.model.name,
        cpu_threads=service.cpu_threads,
        cpu_cores=available_cores(),
        memory_mb=round(psutil.Process().memory_info().rss / 1e6, 1),
        demo=service.settings.demo,
        jobs=service.jobs.is_open,
        models=[
            ModelHealth(
                language=language.code,
                model_id=language.model.name,
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
