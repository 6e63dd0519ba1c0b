"""``/healthz`` and ``/readyz``: probes for supervisors and load balancers."""

from fastapi import APIRouter

from services.api.models.status import Health
from services.api.parameters import BackendDependency
from services.api.problems import RESPONSES, unavailable

router = APIRouter(tags=["probes"])


@router.get("/healthz")
async def read_health() -> Health:
    """Answer, which shows that the process lives."""
    return Health()


@router.get("/readyz", responses={503: RESPONSES[503]})
async def read_readiness(backend: BackendDependency) -> Health:
    """Answer if broker and database are there and the schema is right; a problem with the reasons otherwise."""
    if reasons := backend.problems():
        raise unavailable("; ".join(reasons), reasons=reasons)
    return Health()
