"""Alerts of outcomes: the messages on the topic, with the numbers and parameters that caused them."""

from msgspec.structs import replace

from services.common import clock
from services.common.clock import SECOND
from services.contracts import message_template
from services.contracts.alert_messages import Alert
from services.contracts.rules import Rule
from services.rules.engine import Outcome
from services.rules.machine import measured_name
from services.rules.state import Move
from services.rules.track import Retracted

_MOST_CHARACTERS = 1_000
_WORDS = {
    "firing": "is met",
    "resolved": "is over",
    "no_data": "cannot be told",
    "error": "cannot be told",
    "ended": "has ended",
    "pending": "is met, and waits",
    "recovering": "is clear, and waits",
}


def alert_of(outcome: Outcome) -> Alert:
    """Return the message of an outcome; the same one always has the same id."""
    rule, subject, told = outcome
    if isinstance(told, Retracted):
        return _retraction(alert_of(Outcome(rule, subject, told.move)))
    move: Move = told
    first = rule.conditions[0]
    fire, clear, _, _ = first.levels
    metric = measured_name(first)
    value = move.measured.get(metric, move.seen.values.get(metric))
    threshold = clear if move.state in ("resolved", "recovering") else fire
    duration_s = None if move.duration_us is None else move.duration_us / SECOND
    values = {**move.measured, **_parameters(rule)}
    alert = Alert(
        alert_id=f"{rule.id}:{subject}:{move.event_us}:{move.state}{move.suffix}",
        rule_id=rule.id,
        event_us=move.event_us,
        state=move.state,
        value=value,
        threshold=threshold,
        message="",
        retracts=None,
        reversion=move.seen.reversion,  # type: ignore[arg-type]  # one of a signal
        pair=subject if rule.subject_kind in ("pair", "radar") else None,
        rule=rule.id,
        metric=metric,
        subject=subject,
        severity=rule.severity,
        labels=rule.labels,
        values=values,
        incident_id=f"{rule.id}:{subject}:{move.incident_us}",
        duration_s=duration_s,
        valid_until_us=move.event_us + round(rule.valid_s * SECOND),
        y_age_s=move.seen.values.get("y_age_s"),
        x_age_s=move.seen.values.get("x_age_s"),
    )
    return replace(alert, message=_message(rule, move, alert))


def _parameters(rule: Rule) -> dict[str, float]:
    """Return the levels of a rule by name; those of its second condition end in `_2`."""
    found: dict[str, float] = {}
    for place, condition in enumerate(rule.conditions, 1):
        suffix = "" if place == 1 else f"_{place}"
        fire, clear, fire_low, clear_low = condition.levels
        found |= {f"fire{suffix}": fire, f"clear{suffix}": clear}
        if condition.operator in ("outside", "inside"):
            found |= {f"fire_low{suffix}": fire_low, f"clear_low{suffix}": clear_low}
        if condition.over_s is not None:
            found[f"over_s{suffix}"] = condition.over_s
    if rule.for_s:
        found["for_s"] = rule.for_s
    if rule.breaches > 1:
        found["breaches"] = float(rule.breaches)
    return found


def _message(rule: Rule, move: Move, alert: Alert) -> str:
    if not rule.message:
        return _ours(rule, move, alert)[:_MOST_CHARACTERS]
    texts = {
        "rule": rule.id,
        "name": rule.name,
        "subject": alert.subject,
        "state": alert.state,
        "metric": alert.metric,
        "severity": alert.severity,
        "incident_id": alert.incident_id,
        "reason": move.reason or "",
        "time": clock.to_iso(alert.event_us),
    }
    numbers = {
        **move.seen.values,
        **move.measured,
        "value": alert.value,
        "threshold": alert.threshold,
        "duration_s": alert.duration_s,
    }
    return message_template.fill(rule.message, texts, numbers)[:_MOST_CHARACTERS]


def _ours(rule: Rule, move: Move, alert: Alert) -> str:
    measured = ", ".join(f"{name} {value:.6g}" for name, value in move.measured.items())
    told = [f"{alert.subject}: {rule.name} {_WORDS[move.state]}"]
    if measured:
        told.append(measured)
    if move.reason:
        told.append(move.reason)
    if alert.duration_s is not None and alert.state == "resolved":
        told.append(f"after {alert.duration_s:g} s")
    return ", ".join(told)


def _retraction(alert: Alert) -> Alert:
    return replace(
        alert,
        alert_id=f"{alert.alert_id}:retracted",
        state="retracted",
        message=f"{alert.message}: retracted, late trades changed this second or its window",
        retracts=alert.alert_id,
    )
