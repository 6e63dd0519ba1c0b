"""``GET /v1/status``: is the pipeline well, and how old is what it knows."""

from fastapi import APIRouter, Response

from services.api.answers.rows import encode
from services.api.models.status import Status
from services.api.queries import BackendDependency

router = APIRouter(prefix="/v1", tags=["status"])


@router.get("/status", response_model=Status)
async def read_status(backend: BackendDependency) -> Response:
    """Return the health of every service, and the last trade and the tape of every symbol; needs no database."""
    return Response(encode(backend.status()), media_type="application/json")
