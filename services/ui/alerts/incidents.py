"""Incidents as of now: those that the API has listed, brought up to date by the alerts of the stream."""

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from services.common.clock import SECOND
from services.contracts.alert_messages import OPENING
from services.ui.alerts.wording import AnyAlert
from services.ui.api.types import HandledAlert, Incident
from services.ui.state.alert_state import AlertSource, AlertState

_OF_INCIDENT = ("peak", "false_us", "false_by", "note")


def as_of_now(alarms: AlertState, listed: Iterable[Incident]) -> dict[str, Incident]:
    """Return incidents by id: those `listed` and those that recent alerts have opened, paired as the API pairs them."""
    found = {one.alert_id: one for one in listed}
    for alert_id, handled in alarms.handled.items():
        if alert_id in found:
            found[alert_id] = replace(found[alert_id], **_handling(handled))
    news = {alert.alert_id for alert in alarms.recent}
    still_open: list[AnyAlert] = [
        one for one in found.values() if one.state in OPENING and one.alert_id not in news
    ]
    last: dict[AlertSource, Incident] = {}
    news_and_open: list[AnyAlert] = [*still_open, *alarms.recent]
    for alert in sorted(news_and_open, key=_order):
        source = AlertSource(alert.rule, alert.subject)
        before = last.get(source)
        retraction = alarms.retraction(alert.alert_id)
        retracted_by = retraction.alert_id if retraction else alert.retracted_by
        if alert.state in OPENING:
            opened = _opened(alert, found.get(alert.alert_id), retracted_by, alarms)
            if opened.state == "retracted":
                found[alert.alert_id] = opened
            elif before is None or not alert.incident_id or before.incident_id != alert.incident_id:
                if before is not None and before.state in OPENING:
                    found[before.alert_id] = replace(before, state="ended")
                last[source] = found[alert.alert_id] = opened
        elif before is not None and _ends(alert, before) and not retracted_by:
            last[source] = found[before.alert_id] = replace(
                before,
                state=alert.state,
                end_us=alert.event_us,
                duration_s=(alert.event_us - before.event_us) / SECOND,
                ended_by=alert.alert_id,
            )
    return found


def _opened(
    alert: AnyAlert, listed: Incident | None, retracted_by: str | None, alarms: AlertState
) -> Incident:
    """Return the incident that an alert has opened, with the end that is listed unless that was retracted."""
    if retracted_by:
        fields: dict[str, Any] = {"state": "retracted", "retracted_by": retracted_by}
    elif listed is None:
        fields = {}
    elif listed.ended_by is not None and alarms.retraction(listed.ended_by) is None:
        fields = {name: getattr(listed, name) for name in ("state", "end_us", "duration_s", "ended_by")}
    else:
        fields = {}
    # No alert of the stream has these.
    of_incident = {name: None if listed is None else getattr(listed, name) for name in _OF_INCIDENT}
    own = {name: getattr(alert, name, None) for name in Incident.__struct_fields__} | of_incident
    return Incident(**{**own, "note": own["note"] or "", **fields})


def _ends(alert: AnyAlert, before: Incident) -> bool:
    return (
        alert.state in ("resolved", "ended")
        and before.state in OPENING
        and before.incident_id == alert.incident_id
    )


def _handling(alert: HandledAlert) -> dict[str, Any]:
    return {name: getattr(alert, name) for name in ("acked_us", "acked_by", "snoozed_until_us")}


def _order(alert: AnyAlert) -> tuple[int, bool, str]:
    return alert.event_us, alert.state in OPENING, alert.alert_id
