"""What lasts and must be known: the banner above the page, and the strip of services below it."""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from dash import html
from dash.development.base_component import Component

from services.ui.answers import ServiceHealth
from services.ui.formatting import age, number
from services.ui.market import Market, Now
from services.ui.view import Selection

SILENT_S = 3.0

Severity = Literal["error", "warning", "note"]


class Notice(NamedTuple):
    """One condition that lasts."""

    severity: Severity
    text: str


def notices(market: Market, selection: Selection, now: Now) -> list[Notice]:
    """Return every condition that holds now, worst first."""
    found: list[Notice] = []
    if not market.connected:
        since = int(now.s - market.changed_s)
        what = (
            f"Stream lost for {since} s; numbers are the last known"
            if market.connected_before
            else "No data yet"
        )
        found.append(Notice("error", f"{what}. Reconnecting to the API. {_sentence(market.error)}".strip()))
    if market.pairs is not None and selection.pair is not None and selection.pair not in market.pairs:
        watched = ", ".join(market.pairs) or "none"
        found.append(Notice("error", f"{selection.pair} is not watched here. Watched pairs: {watched}."))
    if market.pairs is not None and not market.pairs:
        found.append(Notice("warning", "No pair is watched. Add one with PUT /v1/pairs/Y-X of the API."))
    if market.connected:
        for service in market.services:
            if not service.healthy:
                detail = f": {service.detail}" if service.detail else ""
                found.append(Notice("error", f"{service.service} is {_state(service)}{detail}."))
            elif service.state == "degraded":
                found.append(Notice("warning", _sentence(f"{service.service} is degraded: {service.detail}")))
            elif service.state == "finished":
                found.append(Notice("note", f"{service.service} has finished: the feed has no more trades."))
    return found


def banner(found: Iterable[Notice]) -> list[Component]:
    """Return the banner's lines."""
    return [html.Div(notice.text, className=f"notice is-{notice.severity}") for notice in found]


def strip(market: Market) -> list[Component]:
    """Return one entry for each service: health in colour and words, lag, and the tick rate of the feed."""
    entries = [_entry(service, market) for service in market.services]
    rates = [stats.tick_rate for stats in market.symbols.values() if stats.tick_rate is not None]
    if rates:
        rate = f"{number(sum(rates), 1)} ticks/s"
        title = ", ".join(
            f"{stats.symbol} {number(stats.tick_rate, 1)}/s"
            for stats in market.symbols.values()
            if stats.tick_rate is not None
        )
        entries.append(html.Span([html.B("rate"), rate], className="service is-rate", title=title))
    return entries


def _entry(service: ServiceHealth, market: Market) -> Component:
    state = _state(service)
    level = "is-error" if not service.healthy else "is-warning" if service.state == "degraded" else "is-ok"
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
    if service.healthy:
        return service.state
    if service.age_s is None:
        return "not heard from yet"
    if service.age_s > SILENT_S:
        return f"silent, last heard {age(service.age_s)}"
    return f"{service.state}, not healthy"


def _sentence(text: str | None) -> str:
    return f"{text.rstrip('.')}." if text else ""
