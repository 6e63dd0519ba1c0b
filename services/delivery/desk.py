"""Desk: the routings of all targets, from alerts to deliveries. No I/O; time is passed in."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from services.common.clock import to_iso
from services.contracts.alert_messages import Alert
from services.contracts.messages import Rule, Silence
from services.contracts.targets import AlertNotification, Target
from services.delivery.channels.texts import TOLD, title_of
from services.rules.routing import Grouping, Incident, Notification, Routing, Skipped, key_of
from services.store.deliveries import NewDelivery, delivery_id

# What is told once of an alert has an id without a time, so that it is the same however often it is found.
_ONCE = ("begun", "ended")
IncidentKey = tuple[str, str]
"""A target and the key of an incident."""


class Handling(NamedTuple):
    """What people did about an alert."""

    alert_id: str
    is_acked: bool
    snoozed_until_us: int


class Desk:
    """Targets by their id, each with its routing; what has changed is taken away by `taken`."""

    def __init__(self) -> None:
        self.rules: Mapping[str, Rule] = {}
        self.silences: Sequence[Silence] = ()
        self._targets: dict[str, Target] = {}
        self._routings: dict[str, Routing] = {}
        self._changed: dict[IncidentKey, Incident | None] = {}
        self._told: list[NewDelivery] = []

    @property
    def ids(self) -> set[str]:
        """Return the targets that there are."""
        return set(self._targets)

    def put(
        self,
        target: Target,
        incidents: Mapping[str, Incident] | None = None,
        taken: Mapping[str, bool] | None = None,
    ) -> None:
        """Put a target; one that is new goes on from what is open of it, and from alerts that it was told of."""
        self._targets[target.id] = target
        grouping = Grouping(by=target.group_by, wait_s=target.group_wait_s or 0.0)
        if (known := self._routings.get(target.id)) is None:
            known = Routing(grouping, dict(incidents or {}), taken=dict(taken or {}))
            for one in known.incidents.values():
                known.taken.setdefault(one.alert.alert_id, False)
            self._routings[target.id] = known
        known.grouping = grouping

    def remove(self, target_id: str) -> None:
        """Forget a target to which nothing is delivered any more, with all that is open of it."""
        del self._targets[target_id]
        for key in self._routings.pop(target_id).incidents:
            self._changed[target_id, key] = None

    def take(self, alert: Alert, now_us: int) -> None:
        """Take an alert, the next one of its subject."""
        key = key_of(alert)
        for name, routing in self._routings.items():
            target = self._targets[name]
            # Whoever was told of a begin is told of the end, whatever is said of the alert by then.
            if key not in routing.incidents and target.refusal(alert) is not None:
                continue
            known = routing.incidents.get(key)
            if known is not None and known.told_us is None and not routing.grouping.wait_s:
                # Of what begins and ends in one batch both are told.
                self._look(target, routing, now_us, {key})
            routing.take(alert, now_us)

    def look(self, now_us: int, keys: set[str] | None = None) -> None:
        """Make what is due into deliveries: of all that is open, or of the incidents of `keys` alone."""
        for name, routing in self._routings.items():
            if routing.incidents or routing.skipped:
                self._look(self._targets[name], routing, now_us, keys)

    def handle(self, done: Iterable[Handling]) -> None:
        """Take what people did about alerts."""
        by_id = {one.alert_id: one for one in done}
        for routing in self._routings.values():
            for one in [*routing.incidents.values()]:
                if (found := by_id.get(one.alert.alert_id)) is None:
                    continue
                if found.is_acked and not one.is_acked:
                    routing.acknowledge(one.alert.alert_id)
                if found.snoozed_until_us != one.snoozed_until_us:
                    routing.snooze(one.alert.alert_id, found.snoozed_until_us)

    def repeated(self) -> set[str]:
        """Return the alerts that are told of again, or as critical, unless somebody does something about them."""
        rules = {name for name, rule in self.rules.items() if rule.renotify_s or rule.escalate_after_s}
        return {
            one.alert.alert_id
            for routing in self._routings.values()
            for one in (routing.incidents.values() if rules else ())
            if one.alert.rule in rules and not one.is_acked
        }

    def taken(self) -> tuple[dict[IncidentKey, Incident | None], list[NewDelivery]]:
        """Return incidents that have changed, None for one that is over, and new deliveries, and forget both."""
        for name, routing in self._routings.items():
            for key in routing.changed:
                self._changed[name, key] = routing.incidents.get(key)
            routing.changed.clear()
        found = self._changed, self._told
        self._changed, self._told = {}, []
        return found

    def _look(self, target: Target, routing: Routing, now_us: int, keys: set[str] | None) -> None:
        for skipped in routing.skipped:
            self._told.append(_skipped(target, skipped))
        routing.skipped.clear()
        for told in routing.due(now_us, self.rules, self.silences, keys):
            if told.kind != "ended" or target.ends:
                self._told += _deliveries(target, told, now_us)


def _deliveries(target: Target, told: Notification, now_us: int) -> Iterable[NewDelivery]:
    mark = "" if told.kind in _ONCE else to_iso(now_us)
    group = dict(zip(target.group_by, told.group, strict=True))
    for first in range(0, len(told.alerts), TOLD):
        alerts = told.alerts[first : first + TOLD]
        ids = tuple(one.alert_id for one in alerts)
        message = AlertNotification(kind=told.kind, target=target.id, group=group, alerts=alerts)
        name = delivery_id(target.id, told.kind, ids, mark)
        yield NewDelivery(name, target.id, ids, title_of(alerts), message)


def _skipped(target: Target, skipped: Skipped) -> NewDelivery:
    ids = tuple(one.alert_id for one in skipped.alerts)
    message = AlertNotification(kind="begun", target=target.id, group={}, alerts=skipped.alerts)
    name = delivery_id(target.id, "skipped", ids)
    return NewDelivery(name, target.id, ids, title_of(skipped.alerts), message, skipped.reason)
