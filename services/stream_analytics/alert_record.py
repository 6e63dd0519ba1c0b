"""Alert record of a pair: its last transitions, so that what fires can end when the pair is measured no longer."""

from msgspec import Struct, structs

from services.contracts.messages import Alert

# Of more nothing is taken back any more.
_KEPT = 8


class AlertRecord(Struct, frozen=True, array_like=True):
    """Transitions that hold, oldest first, of a pair that is `measured` in this way; `ended` is to be published."""

    measured: str
    alerts: tuple[Alert, ...] = ()
    ended: Alert | None = None

    def noted(self, alert: Alert) -> "AlertRecord":
        """Return the record after a transition, which may be known."""
        known = {one.alert_id: one for one in self.alerts if one.alert_id != alert.retracts}
        if alert.retracts is None:
            known[alert.alert_id] = alert
        kept = sorted(known.values(), key=lambda one: (one.event_us, one.alert_id))[-_KEPT:]
        return structs.replace(self, alerts=tuple(kept))

    @property
    def firing(self) -> Alert | None:
        """The alert that fires, if one does."""
        return self.alerts[-1] if self.alerts and self.alerts[-1].state == "firing" else None

    def end(self, at_us: int, why: str) -> "AlertRecord":
        """Return the record with the end, at `at_us`, of the alert that fires; `why` is what became of the pair."""
        if self.ended is not None or (alert := self.firing) is None:
            return self
        ended = structs.replace(
            alert,
            alert_id=f"{alert.alert_id}:ended",
            event_us=max(at_us, alert.event_us),
            state="ended",
            message=f"{alert.subject}: ended, the pair {why}",
            value=None,
            threshold=None,
            values={},
            y_age_s=None,
            x_age_s=None,
        )
        return structs.replace(self, ended=ended)
