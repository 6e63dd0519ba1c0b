"""``GET /v1/events``: the messages of ``/v1/stream`` as server-sent events."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent

from services.api.parameters import BackendDependency
from services.api.problems import RESPONSES
from services.api.routes.stream import quiet, subscribe
from services.api.serialization.rows import encode
from services.api.stream.composer import LaggingError
from services.api.stream.subscription import StreamQuery, Subscription

router = APIRouter(prefix="/v1", tags=["stream"])


async def _subscribed(
    query: Annotated[StreamQuery, Query()],
    backend: BackendDependency,
    last_event_id: Annotated[
        str | None,
        Header(max_length=100, description="Sent by browsers that connect again; goes before the parameter."),
    ] = None,
) -> Subscription:
    since = last_event_id or query.last_event_id
    return await subscribe(query.model_copy(update={"last_event_id": since}), backend)


@router.get("/events", response_class=EventSourceResponse, responses=RESPONSES)
async def read_events(
    subscription: Annotated[Subscription, Depends(_subscribed)], backend: BackendDependency
) -> AsyncIterator[ServerSentEvent]:
    """Push a `snapshot`, then `update` events: what `WS /v1/stream` says, with the same parameters and ids.

    A client that comes back with `Last-Event-ID` gets the closed signals, alerts and events of radars since, if they
    are still kept; otherwise a snapshot. One that reads too slowly gets the event `closed` as the last one and may
    come back.
    """
    said = subscription.first()
    while True:
        if said.text is None:
            await quiet(subscription, backend)
        else:
            yield ServerSentEvent(raw_data=said.text, event=said.kind, id=said.id)
            await asyncio.sleep(subscription.due_s())
        try:
            said = subscription.update()
        except LaggingError as error:
            yield ServerSentEvent(
                raw_data=encode({"type": "closed", "reason": str(error)}).decode(), event="closed"
            )
            return
