"""Actions on several alerts at once: acknowledge all that fire, snooze a pair."""

from collections.abc import Iterable

from services.common.errors import BadMessageError, TransientError
from services.ui.alerts import actions
from services.ui.api.types import HandledAlert, Incident, Listing
from services.ui.state.alert_state import AlertState
from services.ui.state.page_context import PageContext

RECENT = 100


def to_acknowledge(alarms: AlertState, subject: str | None) -> list[HandledAlert]:
    """Return the alerts that fire and that nobody has acknowledged, of one subject or pair or of all."""
    return [
        alert
        for alert in alarms.firing()
        if alert.acked_us is None and subject in (None, alert.subject, alert.pair)
    ]


async def acknowledge(site: PageContext, subject: str | None) -> str:
    """Acknowledge what fires; return what came of it."""
    alerts = to_acknowledge(site.market.alarms, subject)
    return await _each(site, [alert.alert_id for alert in alerts], "ack", None, "acknowledged")


async def snooze(site: PageContext, subject: str, for_s: float) -> str:
    """Snooze the last alert of each rule on a subject, and so what these rules say of it; return what came of it."""
    name = "pair" if subject in (site.market.pairs or ()) else "subject"
    try:
        known = await site.client.read("/v1/incidents", Listing[Incident], **{name: subject}, limit=RECENT)
    except (TransientError, BadMessageError) as error:
        return f"{subject} is not snoozed: {error}"
    last = {(one.rule, one.subject): one.alert_id for one in reversed(known.data)}
    if not last:
        return f"{subject} is not snoozed: it has had no alert yet."
    return await _each(site, last.values(), "snooze", for_s, "snoozed" if for_s else "no longer snoozed")


async def _each(site: PageContext, ids: Iterable[str], does: str, for_s: float | None, done: str) -> str:
    asked = list(ids)
    refused = [why for alert_id in asked if (why := await actions.post(site, alert_id, does, for_s))]
    if refused:
        return f"{len(refused)} of {len(asked)} alerts not {done}: {refused[0]}"
    return f"{len(asked)} alert{'' if len(asked) == 1 else 's'} {done}."
