"""``/v1/deliveries``: what became of each delivery, and why an alert did not arrive."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from services.api.models.base import Listing
from services.api.models.deliveries import AlertDelivery, Delivery
from services.api.parameters import BackendDependency, Limit, PeriodQuery, TableQuery
from services.api.problems import RESPONSES, ProblemError
from services.api.queries.deliveries import DELIVERIES, deliveries_of, find_targets, open_incidents
from services.api.routes.alerts import AlertId
from services.api.serialization.listing import TABLE_RESPONSES, answer
from services.api.serialization.paging import page
from services.api.serialization.rows import Row, row
from services.contracts.alert_messages import Alert
from services.contracts.targets import DeliveryState, TargetFilter
from services.rules.routing import Incident, key_of

router = APIRouter(prefix="/v1", tags=["deliveries"])


class DeliveriesQuery(PeriodQuery):
    """Deliveries, the one that was made last first."""

    target: Annotated[
        str | None,
        Field(
            max_length=64, pattern=r"^[^\x00]*$", description="To this target alone.", examples=["desk-bot"]
        ),
    ] = None
    alert: Annotated[
        str | None,
        Field(
            max_length=256,
            pattern=r"^[^\x00]*$",
            description="Those that tell of this alert.",
            examples=["zscore:ETHUSDT-BTCUSDT:1767225600000000:firing"],
        ),
    ] = None
    state: Annotated[DeliveryState | None, Field(description="Of these alone.", examples=["dead"])] = None
    limit: Limit = 100


@router.get("/deliveries", response_model=Listing[Delivery], responses=TABLE_RESPONSES | RESPONSES)
async def read_deliveries(
    request: Request, query: Annotated[DeliveriesQuery, Query()], backend: BackendDependency
) -> Response:
    """Return deliveries, the one that was made last first; follow `next_cursor` for earlier ones."""
    named = {"target_id": query.target, "alert_ids": query.alert, "state": query.state}
    equal: dict[str, str | bool | Sequence[str]] = {
        column: value for column, value in named.items() if value is not None
    }
    return await page(request, backend, query, DELIVERIES, Delivery, equal, "descending")


@router.get(
    "/alerts/{alert_id}/deliveries",
    response_model=Listing[AlertDelivery],
    responses=TABLE_RESPONSES | RESPONSES,
)
async def read_deliveries_of_alert(
    alert_id: AlertId, request: Request, query: Annotated[TableQuery, Query()], backend: BackendDependency
) -> Response:
    """Return what became of an alert at each target: when it was delivered, or why it was not."""
    if (stored := await backend.store.alert(alert_id)) is None:
        detail = f"expected the id of a stored alert, received {alert_id!r}"
        raise ProblemError(HTTPStatus.NOT_FOUND, "Unknown alert", detail)
    alert = msgspec.convert(stored, Alert)
    known = {one["id"]: one for one in await find_targets(backend.store)}
    made = await deliveries_of(backend.store, alert_id)
    incidents = await open_incidents(backend.store, key_of(alert))
    rows = [
        _told(made[name])
        if name in made
        else _untold(name, *why_not(alert, known[name], incidents.get(name)))
        for name in sorted({*known, *made})
    ]
    return await answer(request, query.format, AlertDelivery, backend.feed, rows)


def why(delivery: Row) -> str:
    """Return in words what became of a delivery."""
    match delivery["state"]:
        case "delivered":
            return f"delivered at {delivery['ended_time']}"
        case "waiting":
            return f"waiting until {delivery['next_time']} to be sent"
        case "failed":
            return f"tried {delivery['tries']} times, the next time at {delivery['next_time']}: {delivery['reason']}"
        case "dead":
            return f"given up after {delivery['tries']} tries: {delivery['reason']}"
        case _:
            return str(delivery["reason"])


def why_not(alert: Alert, target: Row, incident: Incident | None) -> tuple[str, str]:
    """Return state and reason of an alert of which a target has no delivery."""
    if (refusal := msgspec.convert(target, TargetFilter).refusal(alert)) is not None:
        return "unmatched", refusal
    if target["state"] in ("paused", "disabled"):
        return "unknown", f"the target is {target['state']}"
    if incident is not None and incident.alert.alert_id == alert.alert_id and incident.held:
        return "held", incident.held
    return "unknown", (
        "nothing was due: what it says was known, was never told of, or came before the target, which was changed at "
        f"{target['changed_time']}"
    )


def _told(delivery: Row) -> Row:
    return {"target": delivery["target"], "state": delivery["state"], "why": why(delivery)} | {
        name: delivery[name]
        for name in (
            "delivery_id",
            "kind",
            "status",
            "tries",
            "next_us",
            "next_time",
            "ended_us",
            "ended_time",
        )
    }


def _untold(target: str, state: str, reason: str) -> Row:
    fields: list[tuple[str, Any]] = [
        ("target", target),
        ("state", state),
        ("why", reason),
        ("delivery_id", None),
        ("kind", None),
        ("status", None),
        ("tries", 0),
        ("next_us", None),
        ("ended_us", None),
    ]
    return row(fields)
