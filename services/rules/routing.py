"""Routing of alerts: which are notified of, when, together with which others, and again. No I/O; time is passed in.

Whoever delivers has a routing of its own for each target, takes every alert of the topic, and asks what is due. What is
open of it is data, to be stored with the offsets that were read.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from msgspec import Struct, structs

from services.common.clock import SECOND, to_iso
from services.contracts.alert_messages import OPENING, Alert
from services.contracts.pairs import Pair
from services.contracts.rules import Rule
from services.contracts.silences import Silence, value_of
from services.contracts.targets import NotificationKind as Kind
from services.rules.built_in import FEED_STALE

TAKEN_KEPT = 5_000
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


class Skipped(NamedTuple):
    """Alerts of an incident that ended before anybody was notified of it, and what it waited for."""

    alerts: tuple[Alert, ...]
    reason: str


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
    held: str = ""
    """What it waits for, in words; empty if it waits for nothing."""


class Routing(Struct):
    """State of one target."""

    grouping: Grouping = Grouping()
    incidents: dict[str, Incident] = {}
    skipped: list[Skipped] = []
    """Incidents that ended before anybody was notified of them, for the caller to take away."""
    changed: set[str] = set()
    """Keys of incidents that have come, gone or changed, for the caller to take away."""
    taken: dict[str, bool] = {}
    """Ids of the last alerts, as a crash may have sent some twice, and whether each was an end."""

    def take(self, alert: Alert, now_us: int) -> None:
        """Take an alert, the next one of its subject; one that came before changes nothing."""
        if alert.alert_id in self.taken:
            return
        self.taken[alert.alert_id] = alert.state in ("resolved", "ended")
        if len(self.taken) > TAKEN_KEPT:
            del self.taken[next(iter(self.taken))]
        key = key_of(alert)
        known = self.incidents.get(key)
        if alert.state in OPENING:
            if known is None or known.end is not None:
                self.incidents[key] = Incident(alert, now_us)
                self.changed.add(key)
        elif alert.state in _ENDS and known is not None:
            self.changed.add(key)
            if alert.state == "retracted" and alert.retracts != known.alert.alert_id:
                known.end = None if self.taken.get(alert.retracts or "") else known.end
                return
            known.end = alert
            if known.told_us is None:
                reason = f"it ended before it was delivered: it was {known.held or 'new'}"
                self.skipped.append(Skipped((known.alert, alert), reason))
                del self.incidents[key]
        elif alert.state == "retracted" and self.taken.get(alert.retracts or ""):
            # It has not ended after all, though its end was told.
            begun = structs.replace(alert, state="firing", retracts=None)
            self.incidents[key] = Incident(begun, now_us)
            self.changed.add(key)

    def acknowledge(self, alert_id: str) -> None:
        """Notify of an incident no more, but of its end."""
        for key, one in self._of(alert_id):
            self.changed.add(key)
            one.is_acked = True

    def snooze(self, alert_id: str, until_us: int) -> None:
        """Notify of an incident again only after a time."""
        for key, one in self._of(alert_id):
            self.changed.add(key)
            one.snoozed_until_us = until_us

    def due(
        self,
        now_us: int,
        rules: Mapping[str, Rule],
        silences: Iterable[Silence] = (),
        keys: Collection[str] | None = None,
    ) -> list[Notification]:
        """Return what is to be notified of now, and take it for notified; of the incidents of `keys` alone if given."""
        active = [one for one in silences if one.is_active(now_us)]
        stale = self._stale_symbols()
        found: dict[tuple[Kind, tuple[str, ...]], list[Alert]] = {}
        looked_at = list(self.incidents if keys is None else keys & self.incidents.keys())
        ready = self._ready_groups(now_us, looked_at)
        for key in looked_at:
            one = self.incidents[key]
            group = self._group(one.alert)
            silence = next((quiet for quiet in active if quiet.matches(one.alert)), None)
            # Whoever was told of a begin is told of the end, too.
            if one.end is None and (silence is not None or is_inhibited(one.alert, stale)):
                if silence is not None and not one.was_silenced:
                    one.was_silenced = True
                    self.changed.add(key)
                self._hold(key, one, _held_by(silence))
                continue
            kind = self._kind(one, now_us, rules.get(one.alert.rule), group in ready)
            if kind is None:
                until_us = one.since_us + round(self.grouping.wait_s * SECOND)
                waits = one.told_us is None
                self._hold(
                    key, one, f"waiting until {to_iso(until_us)} for others of its group" if waits else ""
                )
                continue
            self.changed.add(key)
            one.was_silenced, one.held = False, ""
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

    def _hold(self, key: str, one: Incident, held: str) -> None:
        if one.held != held:
            one.held = held
            self.changed.add(key)

    def _ready_groups(self, now_us: int, keys: Iterable[str]) -> set[tuple[str, ...]]:
        """Return the groups whose first incident has waited for others for long enough."""
        wait_us = round(self.grouping.wait_s * SECOND)
        return {
            self._group(one.alert)
            for one in map(self.incidents.__getitem__, keys)
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

    def _of(self, alert_id: str) -> list[tuple[str, Incident]]:
        return [(key, one) for key, one in self.incidents.items() if one.alert.alert_id == alert_id]


def _held_by(silence: Silence | None) -> str:
    if silence is None:
        return "inhibited: the feed of a leg is stale"
    return f"silenced by {silence.id} until {to_iso(silence.end_us)}"


def key_of(alert: Alert) -> str:
    """Return what tells an incident from others: of a rule without incidents there is one of each subject."""
    return alert.incident_id or f"{alert.rule}:{alert.subject}"


def is_inhibited(alert: Alert, stale: set[str]) -> bool:
    """Tell whether a leg of an alert's pair has a stale feed, of which there is an alert of its own."""
    return alert.pair is not None and not stale.isdisjoint(Pair.parse(alert.pair))
