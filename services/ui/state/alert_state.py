"""Alert state, by rule and subject: the newest alerts, which of them are firing, and which are snoozed."""

from collections.abc import Iterable
from typing import NamedTuple

from services.ui.api.types import HandledAlert

ALERTS_KEPT = 50
HANDLED_KEPT = 50
# Of each source: what holds again when the last of them is retracted.
TRANSITIONS_KEPT = 20
RETRACTIONS_KEPT = 1_000


class AlertSource(NamedTuple):
    """A rule on a subject: a pair, a symbol, a service."""

    rule: str
    subject: str


def source(alert: HandledAlert) -> AlertSource:
    """Return what an alert comes from."""
    return AlertSource(alert.rule, alert.subject)


class AlertState:
    """The newest alerts, the last transitions of each source, and those of which more became known afterwards.

    What holds is the last transition that none has retracted.
    """

    def __init__(self) -> None:
        self.version = 0
        """Grows with everything taken in."""
        self.recent: tuple[HandledAlert, ...] = ()
        """The newest first."""
        self.handled: dict[str, HandledAlert] = {}
        self._transitions: dict[AlertSource, dict[str, HandledAlert]] = {}
        self._retractions: dict[str, HandledAlert] = {}
        self._snoozes: dict[str, HandledAlert] = {}

    def clear(self) -> None:
        """Forget everything."""
        self.version += 1
        self.recent = ()
        for known in (self.handled, self._transitions, self._retractions, self._snoozes):
            known.clear()

    def take(self, alerts: Iterable[HandledAlert]) -> None:
        """Take in alerts in any order; a later statement on an alert replaces the earlier one."""
        self.version += 1
        known = {alert.alert_id: alert for alert in self.recent}
        for alert in alerts:
            known[alert.alert_id] = alert
            self._note_transition(alert)
            self._note_handling(alert)
        self.recent = tuple(sorted(known.values(), key=_order, reverse=True)[:ALERTS_KEPT])

    def firing(self) -> list[HandledAlert]:
        """Return the alerts that are neither resolved nor retracted, newest first."""
        last = (max(known.values(), key=_order) for known in self._transitions.values() if known)
        return sorted((one for one in last if one.state == "firing"), key=_order, reverse=True)

    def newest_of_pairs(self) -> dict[str, HandledAlert]:
        """Return the newest alert of each pair, of any rule, that is not retracted."""
        newest: dict[str, HandledAlert] = {}
        for known in self._transitions.values():
            for alert in known.values():
                if alert.pair and (alert.pair not in newest or _order(newest[alert.pair]) < _order(alert)):
                    newest[alert.pair] = alert
        return newest

    def retraction(self, alert_id: str) -> HandledAlert | None:
        """Return what has retracted an alert lately, None if it holds or if that is not known."""
        return self._retractions.get(alert_id)

    def snoozed_until_us(self, of: AlertSource, now_us: int) -> int | None:
        """Return until when a source is snoozed, None if it is not."""
        for alert_id, alert in list(self._snoozes.items()):
            if (alert.snoozed_until_us or 0) <= now_us:
                del self._snoozes[alert_id]
        snoozes = (one.snoozed_until_us for one in self._snoozes.values() if source(one) == of)
        return max((until for until in snoozes if until is not None), default=None)

    def is_to_be_told(self, alert: HandledAlert, now_us: int) -> bool:
        """Tell whether an alert is firing, not acknowledged, and its source not snoozed."""
        is_retracted = alert.retracted_by is not None or alert.alert_id in self._retractions
        return (
            alert.acked_us is None
            and not is_retracted
            and self.snoozed_until_us(source(alert), now_us) is None
        )

    def _note_transition(self, alert: HandledAlert) -> None:
        transitions = self._transitions.setdefault(source(alert), {})
        if alert.retracts is not None:
            transitions.pop(alert.retracts, None)
            self._retractions[alert.retracts] = alert
            if len(self._retractions) > RETRACTIONS_KEPT:
                del self._retractions[next(iter(self._retractions))]
        elif alert.retracted_by is not None or alert.alert_id in self._retractions:
            transitions.pop(alert.alert_id, None)
        else:
            transitions[alert.alert_id] = alert
            if len(transitions) > TRANSITIONS_KEPT:
                del transitions[min(transitions.values(), key=_order).alert_id]

    def _note_handling(self, alert: HandledAlert) -> None:
        was_handled = self.handled.pop(alert.alert_id, None) is not None
        is_handled = alert.acked_us is not None or alert.snoozed_until_us is not None
        if was_handled or is_handled or alert.retracted_by is not None:
            self.handled[alert.alert_id] = alert
            if len(self.handled) > HANDLED_KEPT:
                del self.handled[next(iter(self.handled))]
        if alert.snoozed_until_us is None:
            self._snoozes.pop(alert.alert_id, None)
        else:
            self._snoozes[alert.alert_id] = alert


def _order(alert: HandledAlert) -> tuple[int, str]:
    return alert.event_us, alert.alert_id
