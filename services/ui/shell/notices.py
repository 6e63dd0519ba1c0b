"""Lasting notices: the banner above the page, and the strip of services below it."""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from dash import html
from dash.development.base_component import Component

from services.ui.alerts import actions
from services.ui.api.types import HandledAlert, ServiceHealth
from services.ui.state.live_state import LiveState, Now
from services.ui.state.page_context import attributes
from services.ui.widgets.formatting import NONE, age, filling, moment, number, per_second, zscore

SILENT_S = 3.0
FIRING_SHOWN = 3
CATCHING_UP = "The API has not heard yet how every service is; it is reading what came meanwhile."

Severity = Literal["error", "warning", "note"]


class Notice(NamedTuple):
    """One condition that lasts; `is_counting` if its text changes all the time, which nobody wants read out."""

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
            if not service.healthy and not service.has_only_lost:
                detail = f": {service.detail}" if service.detail else ""
                verb = ":" if service.partly_silent else " is"
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
    """Return a line of the alerts that hold and that nobody has dealt with, empty if there is none."""
    lasting = [
        alert
        for alert in market.alarms.firing()
        if _is_measured(market, alert.pair) and market.alarms.is_to_be_told(alert, now.us)
    ]
    if not lasting:
        return []
    count = html.B("1 alert is firing" if len(lasting) == 1 else f"{len(lasting)} alerts are firing")
    entries = [_firing(alert, market, zone) for alert in lasting[:FIRING_SHOWN]]
    if len(lasting) > FIRING_SHOWN:
        more = f"and {len(lasting) - FIRING_SHOWN} more"
        entries.append(html.A(more, href="/alerts?state=firing", className="inside"))
    return [count, *entries]


def _is_measured(market: LiveState, pair: str) -> bool:
    """Return whether a pair is still watched: an alert of one that is not is never resolved."""
    watched = (market.pairs or {}).get(pair)
    return market.pairs is None or (watched is not None and not watched.paused)


def _firing(alert: HandledAlert, market: LiveState, zone: str) -> Component:
    closes = market.closes.get(alert.pair)
    last = closes[-1] if closes else None
    known_z = None if last is None or last.quality != "ok" else last.zscore
    pair = (market.pairs or {}).get(alert.pair)
    limits = (pair.entry_z, pair.exit_z) if pair else (alert.threshold,)
    reading = NONE if known_z is None else zscore(known_z, *limits)
    known = "now" if market.connected else "last known"
    began, today = moment(alert.event_us, zone), moment(last.event_us if last else alert.event_us, zone)
    since = began[11:] if began[:10] == today[:10] else began
    return html.Span(
        [
            actions.pair_link(alert.pair),
            html.Span(f"z {reading} {known}, since {since}", className="num"),
            *([html.Span(alert.reversion, title=actions.reversion_words(alert))] if alert.reversion else []),
            actions.acknowledge(alert),
        ],
        className="firing-one" if market.connected else "firing-one late",
    )


def strip(market: LiveState) -> list[Component]:
    """Return one entry for each service: health in colour and words, lag, and the tick rate of the feed."""
    entries = [_entry(service, market) for service in market.services]
    rates = [stats.tick_rate for stats in market.symbols.values() if stats.tick_rate is not None]
    if rates:
        rate = f"{per_second(sum(rates))} ticks/s"
        title = ", ".join(
            f"{stats.symbol} {per_second(stats.tick_rate)}/s"
            for stats in market.symbols.values()
            if stats.tick_rate is not None
        )
        entries.append(html.Span([html.B("rate"), rate], className="service is-rate", title=title))
    return entries


def _entry(service: ServiceHealth, market: LiveState) -> Component:
    state = _state(service)
    level = "is-ok" if service.healthy else "is-error"
    if service.has_only_lost or (service.healthy and service.state == "degraded"):
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
    if service.healthy or service.healthy is None or service.has_only_lost or service.state == "stopped":
        return service.state
    if service.partly_silent:
        return service.partly_silent
    if service.age_s is None:
        return "silent since before the API began" if service.instances else "not heard from yet"
    if service.age_s > SILENT_S:
        return f"silent, last heard {age(service.age_s)}"
    return f"{service.state}, not healthy"


def _sentence(text: str | None) -> str:
    return f"{text.rstrip('.')}." if text else ""
