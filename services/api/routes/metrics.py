"""``GET /metrics``: metrics for Prometheus."""

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from services.api.parameters import BackendDependency

router = APIRouter(tags=["probes"])


@router.get("/metrics", response_class=PlainTextResponse)
async def read_metrics(backend: BackendDependency) -> Response:
    """Return requests by route, method and status, open streams, and how far behind the topics this process is."""
    return Response(generate_latest(backend.registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)
