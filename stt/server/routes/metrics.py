"""``GET /metrics``, for Prometheus."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Response
from prometheus_client.exposition import choose_encoder

from stt.server.problems import PROBLEMS
from stt.server.state import Service, get_service

router = APIRouter(tags=["service"])


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
        401: PROBLEMS[401],
    },
)
async def metrics(
    service: Annotated[Service, Depends(get_service)], accept: Annotated[str, Header()] = ""
) -> Response:
    """All metrics, as Prometheus text or, if the client accepts it, OpenMetrics."""
    encode, media_type = choose_encoder(accept)
    return Response(encode(await service.collect()), media_type=media_type)
