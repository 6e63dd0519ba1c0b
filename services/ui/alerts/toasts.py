"""Toasts of new alerts: each is shown once, and removed when somebody has handled the alert."""

from typing import Any

from dash import html

from services.ui.alerts import actions, wording
from services.ui.api.types import HandledAlert
from services.ui.state.alert_state import AlertState
from services.ui.widgets.formatting import moment

TOASTS_AT_ONCE = 3
TOAST_MS = 8000
SEEN_KEPT = 1000


class Toasts:
    """Toasts of one session."""

    def __init__(self, alarms: AlertState, since_us: int | None) -> None:
        """Alerts up to `since_us` have been called out before, all that are known if it is None."""
        self._seen = {one.alert_id for one in alarms.recent if since_us is None or one.event_us <= since_us}
        self._shown: list[str] = []

    def step(self, alarms: AlertState, zone: str, now_us: int) -> dict[str, Any]:
        """Return which toasts come and which go, as properties of their container."""
        fresh = [alert for alert in alarms.recent if alert.alert_id not in self._seen]
        if len(self._seen) > SEEN_KEPT:
            self._seen.intersection_update(alert.alert_id for alert in alarms.recent)
        self._seen.update(alert.alert_id for alert in fresh)
        firing = [alert for alert in fresh if alert.state == "firing" and alarms.is_to_be_told(alert, now_us)]
        called = firing[:TOASTS_AT_ONCE]
        retracted = [found for shown in self._shown if (found := alarms.retraction(shown)) is not None]
        still = [shown for shown in self._shown if alarms.retraction(shown) is None]
        gone = [shown for shown in still if shown in alarms.handled]
        shown = [alert.alert_id for alert in called] + [shown for shown in still if shown not in gone]
        # One that had to wait for room would come late: the newest take the place of the oldest.
        self._shown, gone = shown[:TOASTS_AT_ONCE], gone + shown[TOASTS_AT_ONCE:]
        more = len(firing) - len(called)
        said = [
            *map(_taken_back, retracted),
            *(_toast(alert, zone, more if alert is called[-1] else 0) for alert in reversed(called)),
        ]
        props: dict[str, Any] = {}
        if said:
            props["sendNotifications"] = said
        if gone:
            props["hideNotifications"] = gone
        return props


def _toast(alert: HandledAlert, zone: str, more: int) -> dict[str, Any]:
    when = ", ".join(part for part in (moment(alert.event_us, zone), wording.crossed(alert)) if part)
    said = [f"{when}. {actions.message(alert)}"]
    if ages := actions.leg_ages(alert):
        said.append(f" ({ages})")
    if more:
        said.append(f" And {more} more, on the page of alerts.")
    reversion, rule = actions.reversion_words(alert), wording.rule_words(alert)
    more_lines = (reversion.capitalize(), f"Rule {rule}" if rule else "")
    lines = [html.Div(said), *(html.Div(f"{line}.") for line in more_lines if line)]
    return {
        "action": "show",
        "id": alert.alert_id,
        "title": [wording.subject_link(alert), f"  {wording.reading(alert)}"],
        "message": html.Div([*lines, actions.actions(alert)]),
        "color": "var(--bad)",
        "autoClose": TOAST_MS,
        "className": "toast",
        "closeButtonProps": {"aria-label": "Close"},
    }


def _taken_back(alert: HandledAlert) -> dict[str, Any]:
    """Return what becomes of the toast of an alert that does not hold: no new toast, and no tone."""
    return {
        "action": "update",
        "id": alert.retracts,
        "title": [wording.subject_link(alert), "  retracted"],
        "message": f"{actions.RETRACTED}.",
        "color": "var(--ink-3)",
        "autoClose": TOAST_MS,
        "className": "toast",
        "closeButtonProps": {"aria-label": "Close"},
    }
