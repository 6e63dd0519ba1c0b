"""Corrections: what was published of a second, and its next revision once late trades change it."""

from typing import NamedTuple

from msgspec import structs

from services.contracts.messages import Alert, Signal
from services.stream_analytics.minute_statistics import NEVER, MinuteStatistics


class Outcome(NamedTuple):
    """What one closed second, or the prices of this moment, say; a corrected one may take back an alert."""

    signal: Signal
    alerts: tuple[Alert, ...] = ()


class PublishedSecond(NamedTuple):
    """What was said last of a second that is not final, whether the rule fires after it, and what its minute found."""

    signal: Signal
    alert: Alert | None
    is_firing: bool
    minute: MinuteStatistics = NEVER


def revised(
    before: PublishedSecond | None, signal: Signal, alert: Alert | None, is_firing: bool
) -> tuple[PublishedSecond, Outcome | None]:
    """Return what holds of a second of which `before` was said, and what is to be published, if anything is another.

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
