"""Lasting notices: the banner above the page, and the strip of services below it."""

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

from dash import html
from dash.development.base_component import Component

from services.contracts.alert_messages import ZSCORE
from services.contracts.messages import Signal
from services.ui.alerts import actions, wording
from services.ui.api.types import HandledAlert, ServiceHealth
from services.ui.state.live_state import LiveState, Now
from services.ui.state.page_context import attributes
from services.ui.state.service_states import has_only_lost, partly_silent
from services.ui.widgets.formatting import NONE, age, filling, moment, number, per_second, zscore

SILENT_S = 3.0
FIRING_SHOWN = 3
CATCHING_UP = "The API is catching up: the state of some services is not known yet."

Severity = Literal["error", "warning", "note"]


class Notice(NamedTuple):
    """Lasting notice; `is_counting` if its text changes all the time, so that screen readers skip it."""

    severity: Severity
    text: str
    is_counting: bool = False


def notices(market: LiveState, now: Now) -> list[Notice]:
    """Return every condition that holds now, worst first."""
    found: list[Notice] = []
    if not market.connected:
        since = int(now.s - market.changed_s)
        what = (
            f"Stream lost for {since} s; numbers are the last known"
            if market.connected_before
            else "No data yet"
        )
        why = f": {_sentence(market.error)}" if market.error else "."
        found.append(Notice("error", f"{what}. Reconnecting to the API{why}"))
    if market.connected:
        if market.degraded:
            reasons = "; ".join(market.degraded)
            found.append(
                Notice("warning", f"The stream is degraded, what it brings may be old: {_sentence(reasons)}")
            )
        if any(service.healthy is None for service in market.services):
            found.append(Notice("note", CATCHING_UP))
        for service in market.services:
            if service.healthy is None:
                continue
            if not service.healthy and not has_only_lost(service):
                detail = f": {service.detail}" if service.detail else ""
                verb = ":" if partly_silent(service) else " is"
                found.append(Notice("error", f"{service.service}{verb} {_state(service)}{detail}."))
            elif service.state == "degraded":
                found.append(Notice("warning", _sentence(f"{service.service} is degraded: {service.detail}")))
            elif service.state == "finished":
                found.append(Notice("note", f"{service.service} has finished: the feed has no more trades."))
        for service in market.services:
            is_heard = service.healthy or (service.age_s or 0.0) <= SILENT_S
            if service.filling is not None and is_heard:
                said = filling(service.filling.done_s, service.filling.total_s)
                found.append(Notice("note", f"{said}; the page shows old data.", is_counting=True))
    return found


def banner(found: Iterable[Notice]) -> list[Component]:
    """Return the banner's lines."""
    return [
        html.Div(
            notice.text,
            className=f"notice is-{notice.severity}",
            **attributes("aria", live="off") if notice.is_counting else {},
        )
        for notice in found
    ]


def firing(market: LiveState, zone: str, now: Now) -> list[Component]:
    """Return a line on the firing alerts without an acknowledgement or snooze, empty if there is none."""
    lasting = [
        alert
        for alert in market.alarms.firing()
        if _is_watched(market, alert.pair) and market.alarms.is_to_be_told(alert, now.us)
    ]
    if not lasting:
        return []
    count = html.B("1 alert is firing" if len(lasting) == 1 else f"{len(lasting)} alerts are firing")
    entries = [_firing(alert, market, zone, now) for alert in lasting[:FIRING_SHOWN]]
    if len(lasting) > FIRING_SHOWN:
        more = f"and {len(lasting) - FIRING_SHOWN} more"
        entries.append(html.A(more, href="/alerts?state=firing", className="inside"))
    return [count, *entries]


def _is_watched(market: LiveState, pair: str | None) -> bool:
    """Return whether a pair is still watched, if it is of one: an alert of one that is not is never resolved."""
    watched = (market.pairs or {}).get(pair or "")
    return pair is None or market.pairs is None or (watched is not None and not watched.paused)


def _firing(alert: HandledAlert, market: LiveState, zone: str, now: Now) -> Component:
    closes = market.closes.get(alert.pair or "")
    last = closes[-1] if closes else None
    reading: list[Any]
    if alert.metric == ZSCORE:
        when = html.Span("at the last close", className="of-now") if market.connected else "last known"
        reading = [f"z {_zscore_now(alert, last, market)} ", when]
        today_us = last.event_us if last else alert.event_us
    else:
        # The page does not know what other rules measure now, only what was measured when it fired.
        reading, today_us = [f"{alert.rule}: {wording.reading(alert)}"], now.us
    began, today = moment(alert.event_us, zone), moment(today_us, zone)
    since = began[11:] if began[:10] == today[:10] else began
    return html.Span(
        [
            wording.subject_link(alert),
            html.Span([*reading, f", since {since}"], className="num"),
            *([html.Span(alert.reversion, title=actions.reversion_words(alert))] if alert.reversion else []),
            actions.acknowledge(alert),
        ],
        className="firing-one" if market.connected else "firing-one late",
    )


def _zscore_now(alert: HandledAlert, last: Signal | None, market: LiveState) -> str:
    if last is None or last.quality != "ok" or last.zscore is None:
        return NONE
    pair = (market.pairs or {}).get(alert.pair or "")
    limits = (pair.entry_z, pair.exit_z) if pair else (alert.threshold,)
    return zscore(last.zscore, *(limit for limit in limits if limit is not None))


def strip(market: LiveState) -> list[Component]:
    """Return one entry for each service: health in colour and words, lag, and the tick rate of the feed."""
    entries = [_entry(service, market) for service in market.services]
    rates = [stats.tick_rate for stats in market.symbols.values()]
    if rates:
        rate = f"{per_second(sum(rates))} ticks/s"
        title = ", ".join(
            f"{stats.symbol} {per_second(stats.tick_rate)}/s" for stats in market.symbols.values()
        )
        entries.append(html.Span([html.B("rate"), rate], className="service is-rate", title=title))
    return entries


def _entry(service: ServiceHealth, market: LiveState) -> Component:
    state = _state(service)
    level = "is-ok" if service.healthy else "is-error"
    if has_only_lost(service) or (service.healthy and service.state == "degraded"):
        level = "is-warning"
    if service.healthy is None:
        level = "is-unknown"
    if not market.connected:
        level, state = "is-unknown", "unknown"
    if service.lag_messages is not None and market.connected:
        state += f", lag {number(service.lag_messages, 0)}"
    return html.Span(
        [html.B(service.service), state],
        id=f"service-{service.service}",
        className=f"service {level}",
        title=service.detail or "",
    )


def _state(service: ServiceHealth) -> str:
    if service.healthy or service.healthy is None or has_only_lost(service) or service.state == "stopped":
        return service.state
    if partly_silent(service):
        return partly_silent(service)
    if service.age_s is None:
        return "silent since before the API started" if service.instances else "no heartbeat yet"
    if service.age_s > SILENT_S:
        return f"silent, last heard {age(service.age_s)}"
    return f"{service.state}, not healthy"


def _sentence(text: str | None) -> str:
    return f"{text.rstrip('.')}." if text else ""
