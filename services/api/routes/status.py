"""``/v1/status``: health of the pipeline, age of its data, and acknowledgement of losses."""

from fastapi import APIRouter, Response

from services.api.models.status import Acknowledged, Acknowledgement, Status
from services.api.parameters import BackendDependency
from services.api.problems import RESPONSES
from services.api.security.access import WRITE, CallerDependency
from services.api.serialization.rows import encode

router = APIRouter(prefix="/v1", tags=["status"])


@router.get("/status", response_model=Status)
async def read_status(backend: BackendDependency) -> Response:
    """Return the health of every service, and the last trade and the tape of every symbol; needs no database."""
    return Response(encode(backend.status()), media_type="application/json")


@router.post("/status/acknowledge", responses=RESPONSES, dependencies=WRITE)
async def acknowledge_losses(
    asked: Acknowledgement, caller: CallerDependency, backend: BackendDependency
) -> Acknowledged:
    """Take note of the messages whose loss the status tells: the services that lost them are not degraded any more.

    What was lost in the meantime, and nobody can have seen, stays unacknowledged.
    """
    return Acknowledged(services=await backend.losses.acknowledge(asked.service, caller.name))
