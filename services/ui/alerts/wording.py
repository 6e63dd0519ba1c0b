"""Words for an alert of any rule: of what it is, what was measured, what was crossed, and which rule it was."""

from urllib.parse import urlencode

from dash import html
from dash.development.base_component import Component

from services.common import clock
from services.contracts.alert_messages import DEFAULT_RULE, ZSCORE
from services.contracts.pairs import is_symbol
from services.ui.api.types import HandledAlert, Incident
from services.ui.widgets.formatting import NONE, plain, threshold, zscore

AnyAlert = HandledAlert | Incident


def moment_href(pair: str, at_us: int) -> str:
    """Return the page of a pair at a moment of its past, to the second.

    >>> moment_href("ETHUSDT-BTCUSDT", 1_767_225_600_900_000)
    '/pairs?pair=ETHUSDT-BTCUSDT&past=2026-01-01T00%3A00%3A00Z'
    """
    at = clock.to_iso(at_us // clock.SECOND * clock.SECOND)[:19]
    return f"/pairs?{urlencode({'pair': pair, 'past': f'{at}Z'})}"


def rule_href(alert: AnyAlert) -> str | None:
    """Return the page of the rule of an alert, None of the one that every pair has."""
    return None if alert.rule == DEFAULT_RULE else f"/rules?{urlencode({'rule': alert.rule})}"


def subject_href(alert: AnyAlert) -> str | None:
    """Return the page of what an alert is of: that of the pair or of the symbol, None of anything else."""
    if is_symbol(alert.subject) and alert.pair != alert.subject:
        return f"/?{urlencode({'symbol': alert.subject})}"
    return f"/pairs?{urlencode({'pair': alert.pair})}" if alert.pair else None


def subject_link(alert: AnyAlert) -> Component:
    """Return the name of what an alert is of, as a link to its page if it has one."""
    href = subject_href(alert)
    name: Component = (
        html.A(alert.subject, href=href, className="inside") if href else html.Span(alert.subject)
    )
    return name


def number_of(alert: AnyAlert) -> float | None:
    """Return what the rule measured, None if it is no number."""
    return alert.values.get(alert.metric, alert.value)


def measured(alert: AnyAlert) -> str:
    """Return what was measured, without its name: a z-score with the digits that tell it from the threshold."""
    value = number_of(alert)
    if value is None:
        return NONE
    if alert.metric != ZSCORE:
        return plain(value)
    return zscore(value, *(() if alert.threshold is None else (alert.threshold,)))


def reading(alert: AnyAlert) -> str:
    """Return what was measured, with its name: ``z −2.31``, ``price_move 0.052``."""
    return f"{'z' if alert.metric == ZSCORE else alert.metric} {measured(alert)}"


def crossed(alert: AnyAlert) -> str:
    """Return what was crossed; of a rule that has no threshold the other numbers that caused the alert."""
    if alert.threshold is not None:
        return f"threshold {threshold(alert.threshold)}"
    return ", ".join(f"{name} {plain(one)}" for name, one in alert.values.items() if name != alert.metric)


def rule_words(alert: AnyAlert) -> str:
    """Return which rule it was, how severe it is, and its labels; empty of the one that every pair has."""
    if alert.rule == DEFAULT_RULE:
        return ""
    return ", ".join(
        [alert.rule, alert.severity, *(f"{name} {label}" for name, label in alert.labels.items())]
    )
