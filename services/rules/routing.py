"""Routing of alerts: which are notified of, when, together with which others, and again. No I/O; time is passed in.

Whoever delivers has a routing of its own for each target, takes every alert of the topic, and asks what is due. Its
state is data, to be stored with the offsets that it has read.
"""

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from msgspec import Struct, structs

from services.common.clock import SECOND
from services.contracts.alert_messages import OPENING, Alert
from services.contracts.pairs import Pair
from services.contracts.rules import Rule
from services.contracts.silences import Silence, value_of
from services.rules.built_in import FEED_STALE

Kind = Literal["begun", "ended", "again", "escalated", "silence_over"]
_TAKEN_KEPT = 5_000
_ENDS = ("resolved", "ended", "retracted")


class Grouping(Struct, frozen=True, kw_only=True):
    """What belongs together, as matchers of silences name it, and how long others are waited for (s)."""

    by: tuple[str, ...] = ("rule",)
    wait_s: float = 10.0


class Notification(NamedTuple):
    """Alerts to notify of at once: they have the same kind and the same values of what they are grouped by."""

    kind: Kind
    group: tuple[str, ...]
    alerts: tuple[Alert, ...]


class Incident(Struct):
    """An incident that is open, or has ended and is still to be told."""

    alert: Alert
    since_us: int
    """When it was heard of; what is waited for counts from then on."""
    told_us: int | None = None
    is_acked: bool = False
    snoozed_until_us: int = 0
    is_escalated: bool = False
    was_silenced: bool = False
    end: Alert | None = None


class Routing(Struct):
    """State of one target."""

    grouping: Grouping = Grouping()
    incidents: dict[str, Incident] = {}
    suppressed: int = 0
    """Incidents that ended before anybody was notified of them."""
    taken: dict[str, bool] = {}
    """Ids of the last alerts, as a crash may have sent some twice, and whether each was an end."""

    def take(self, alert: Alert, now_us: int) -> None:
        """Take an alert, the next one of its subject; one that came before changes nothing."""
        if alert.alert_id in self.taken:
            return
        self.taken[alert.alert_id] = alert.state in ("resolved", "ended")
        if len(self.taken) > _TAKEN_KEPT:
            del self.taken[next(iter(self.taken))]
        key = key_of(alert)
        known = self.incidents.get(key)
        if alert.state in OPENING:
            if known is None or known.end is not None:
                self.incidents[key] = Incident(alert, now_us)
        elif alert.state in _ENDS and known is not None:
            if alert.state == "retracted" and alert.retracts != known.alert.alert_id:
                known.end = None if self.taken.get(alert.retracts or "") else known.end
                return
            known.end = alert
            if known.told_us is None:
                self.suppressed += 1
                del self.incidents[key]
        elif alert.state == "retracted" and self.taken.get(alert.retracts or ""):
            # It has not ended after all, though its end was told.
            begun = structs.replace(alert, state="firing", retracts=None)
            self.incidents[key] = Incident(begun, now_us)

    def acknowledge(self, alert_id: str) -> None:
        """Notify of an incident no more, but of its end."""
        for one in self._of(alert_id):
            one.is_acked = True

    def snooze(self, alert_id: str, until_us: int) -> None:
        """Notify of an incident again only after a time."""
        for one in self._of(alert_id):
            one.snoozed_until_us = until_us

    def due(
        self, now_us: int, rules: Mapping[str, Rule], silences: Iterable[Silence] = ()
    ) -> list[Notification]:
        """Return what is to be notified of now, and take it for notified."""
        active = [one for one in silences if one.is_active(now_us)]
        stale = self._stale_symbols()
        found: dict[tuple[Kind, tuple[str, ...]], list[Alert]] = {}
        ready = self._ready_groups(now_us)
        for key, one in list(self.incidents.items()):
            group = self._group(one.alert)
            is_quiet = is_silenced(one.alert, active)
            # Whoever was told of a begin is told of the end, too.
            if one.end is None and (is_quiet or is_inhibited(one.alert, stale)):
                one.was_silenced = one.was_silenced or is_quiet
                continue
            kind = self._kind(one, now_us, rules.get(one.alert.rule), group in ready)
            if kind is None:
                continue
            one.was_silenced = False
            one.told_us = now_us
            if kind == "ended":
                assert one.end is not None
                del self.incidents[key]
                found.setdefault((kind, group), []).append(one.end)
                continue
            if kind == "escalated":
                one.is_escalated = True
                one.alert = structs.replace(one.alert, severity="critical")
            found.setdefault((kind, group), []).append(one.alert)
        return [Notification(kind, group, tuple(alerts)) for (kind, group), alerts in found.items()]

    def _kind(self, one: Incident, now_us: int, rule: Rule | None, is_ready: bool) -> Kind | None:
        """Return what is to be said of an incident that nothing holds back, None if nothing."""
        if one.end is not None:
            return "ended"
        if one.told_us is None:
            if one.was_silenced:
                return "silence_over"
            return "begun" if is_ready else None
        if one.was_silenced:
            return "silence_over"
        if rule is None or one.is_acked or now_us < one.snoozed_until_us:
            return None
        escalate_us = round(rule.escalate_after_s * SECOND)
        if escalate_us and not one.is_escalated and now_us - one.since_us >= escalate_us:
            return "escalated"
        again_us = round(rule.renotify_s * SECOND)
        return "again" if again_us and now_us - one.told_us >= again_us else None

    def _ready_groups(self, now_us: int) -> set[tuple[str, ...]]:
        """Return the groups whose first incident has waited for others for long enough."""
        wait_us = round(self.grouping.wait_s * SECOND)
        return {
            self._group(one.alert)
            for one in self.incidents.values()
            if one.told_us is None and now_us - one.since_us >= wait_us
        }

    def _group(self, alert: Alert) -> tuple[str, ...]:
        return tuple(value_of(alert, name) for name in self.grouping.by)

    def _stale_symbols(self) -> set[str]:
        return {
            one.alert.subject
            for one in self.incidents.values()
            if one.alert.rule == FEED_STALE and one.end is None
        }

    def _of(self, alert_id: str) -> list[Incident]:
        return [one for one in self.incidents.values() if one.alert.alert_id == alert_id]


def key_of(alert: Alert) -> str:
    """Return what tells an incident from others: of a rule without incidents there is one of each subject."""
    return alert.incident_id or f"{alert.rule}:{alert.subject}"


def is_silenced(alert: Alert, active: Iterable[Silence]) -> bool:
    """Tell whether one of the silences that hold is of an alert."""
    return any(one.matches(alert) for one in active)


def is_inhibited(alert: Alert, stale: set[str]) -> bool:
    """Tell whether a leg of an alert's pair has a stale feed, of which there is an alert of its own."""
    return alert.pair is not None and not stale.isdisjoint(Pair.parse(alert.pair))
