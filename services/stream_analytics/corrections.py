"""Corrections: what was published of a second, and its next revision once late trades change it."""

from typing import NamedTuple

from msgspec import structs

from services.contracts.messages import Alert, Signal
from services.stream_analytics.minute_statistics import NEVER, MinuteStatistics


class Outcome(NamedTuple):
    """Outcome of one closed second, or of this moment's prices; a corrected one may retract an alert."""

    signal: Signal
    alerts: tuple[Alert, ...] = ()


class PublishedSecond(NamedTuple):
    """Last outcome published of a second that is not final, with the rule's state and minute statistics."""

    signal: Signal
    alert: Alert | None
    is_firing: bool
    minute: MinuteStatistics = NEVER


def revised(
    before: PublishedSecond | None, signal: Signal, alert: Alert | None, is_firing: bool
) -> tuple[PublishedSecond, Outcome | None]:
    """Return the outcome of a second that was published as `before`, and what to publish if it differs.

    An alert keeps the id it had; one that comes by a correction has the revision in its id.
    """
    if before is None:
        return PublishedSecond(signal, alert, is_firing), Outcome(signal, _all(alert))
    was, revision = before.alert, before.signal.revision
    is_same_alert = (was and was.state) == (alert and alert.state)
    if is_same_alert and structs.replace(signal, revision=revision) == before.signal:
        return before._replace(is_firing=is_firing), None
    signal = structs.replace(signal, revision=revision + 1)
    if is_same_alert:
        return PublishedSecond(signal, was, is_firing), Outcome(signal)
    if alert is not None:
        alert = structs.replace(alert, alert_id=f"{alert.alert_id}:{signal.revision}")
    return PublishedSecond(signal, alert, is_firing), Outcome(
        signal, _all(was and _retraction(was)) + _all(alert)
    )


def _all(alert: Alert | None) -> tuple[Alert, ...]:
    return () if alert is None else (alert,)


def _retraction(alert: Alert) -> Alert:
    return structs.replace(
        alert,
        alert_id=f"{alert.alert_id}:retracted",
        state="retracted",
        message=f"{alert.message}: retracted, late trades changed this second or its window",
        retracts=alert.alert_id,
    )
