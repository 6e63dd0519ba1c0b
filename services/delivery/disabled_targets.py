"""Alerts of targets that are disabled: one when it happens, and its end when the target is written again or removed."""

from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from services.common import clock
from services.common.codec import encode
from services.contracts.messages import Alert, AlertState
from services.contracts.topics import ALERTS
from services.store.database import Connection

RULE = "built-in.target-disabled"
_BEGUN = """
SELECT id, (extract(epoch FROM disabled_at) * 1000000)::int8, disabled_reason FROM targets
WHERE disabled_at IS NOT NULL AND NOT EXISTS (SELECT FROM disabled_targets WHERE target_id = id)
"""
_NOTE = """
INSERT INTO disabled_targets SELECT id, disabled_at FROM targets WHERE id = %s AND disabled_at IS NOT NULL
ON CONFLICT DO NOTHING
"""
_OVER = """
SELECT target_id, (extract(epoch FROM since) * 1000000)::int8 FROM disabled_targets
WHERE NOT EXISTS (SELECT FROM targets WHERE id = target_id AND disabled_at IS NOT NULL)
"""
_FORGET = "DELETE FROM disabled_targets WHERE target_id = %s"

log = structlog.get_logger()
Send = Callable[..., Awaitable[Any]]


async def tell(connection: Connection, send: Send) -> None:
    """Tell of targets that were disabled or are so no more; an alert may come twice, with the same id."""
    for target_id, since_us, reason in await (await connection.execute(_BEGUN)).fetchall():
        message = f"target {target_id} is disabled: {reason}"
        await _tell(send, target_id, since_us, since_us, "firing", message)
        await connection.execute(_NOTE, [target_id])
    for target_id, since_us in await (await connection.execute(_OVER)).fetchall():
        message = f"target {target_id} is disabled no more"
        await _tell(send, target_id, since_us, max(clock.now_us(), since_us + 1), "resolved", message)
        await connection.execute(_FORGET, [target_id])


async def _tell(
    send: Send, target_id: str, since_us: int, event_us: int, state: AlertState, message: str
) -> None:
    incident = f"{RULE}:{target_id}:{since_us}"
    alert = Alert(
        alert_id=f"{incident}:{state}",
        incident_id=incident,
        rule=RULE,
        metric="disabled",
        subject=target_id,
        event_us=event_us,
        state=state,
        severity="critical",
        message=message,
        duration_s=None if state == "firing" else (event_us - since_us) / clock.SECOND,
    )
    log.info("alert", message=message, state=state)
    await send(ALERTS.name, key=target_id.encode(), value=encode(alert))
