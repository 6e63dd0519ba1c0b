"""Table of symbols: last price, change over a day and an hour, trade rate, age."""

from collections.abc import Mapping
from typing import Any

from dash.development.base_component import Component

from services.common.clock import MINUTE, SECOND
from services.ui.api.types import Bar, SymbolStats
from services.ui.series.buffer import SeriesBuffer
from services.ui.series.cache import HOUR_BARS
from services.ui.state.live_state import LiveState, Now
from services.ui.widgets import components
from services.ui.widgets.batched_elements import Row
from services.ui.widgets.formatting import NONE, UTC, age, moment, number, per_second, quantity

STALE_S = 10.0
STORED = "stored"
"""Stands in place of the rate of a symbol that is not collected now."""
# Of the little chart's height.
STEPS = 100


def _column(field: str, name: str, width: int, tip: str, **more: Any) -> dict[str, Any]:
    return {
        "field": field,
        "headerName": name,
        "headerTooltip": tip,
        "width": width,
        "type": "rightAligned",
        "getQuickFilterText": {"function": "''"},
        "valueFormatter": {"function": f"params.data.text.{field}"},
        **more,
    }


_SIGNED = {"cellClassRules": {"up": "params.value > 0", "down": "params.value < 0"}}
COLUMNS: list[dict[str, Any]] = [
    {"field": "id", "headerName": "Symbol", "width": 88, "pinned": "left", "tooltipField": "note"},
    _column("last", "Last", 78, "Price of the last trade", cellClassRules={"old": "params.data.stale"}),
    _column(
        "change",
        "24 h",
        88,
        "Change against the price 24 hours before the last trade, or when the trades began if that is less",
        **_SIGNED,
    ),
    _column("hour", "1 h", 66, "Closes of the last 60 minutes", cellRenderer="MarketHour"),
    _column(
        "age",
        "Age",
        66,
        "How long ago the last trade was, or the state of a symbol that is not live",
        cellClassRules={"late": "params.data.stale"},
    ),
    _column(
        "volume", "Vol 24 h", 64, "Volume of the last 24 hours, or since the trades began, in base currency"
    ),
    _column(
        "rate",
        "Rate",
        62,
        "Trades per second in the minute before the last trade; stored: none are collected now",
        tooltipField="note",
    ),
]


def table() -> Component:
    """Return the table, without symbols."""
    selection = {"mode": "singleRow", "checkboxes": False, "enableClickSelection": False}
    return components.table(
        "symbols-table",
        COLUMNS,
        "No symbols yet.",
        rowSelection=selection,
        tooltipShowDelay=300,
    )


def rows(
    market: LiveState, hours: Mapping[str, SeriesBuffer[Bar]], now: Now, zone: str = UTC
) -> dict[str, Row]:
    """Return a row for each symbol, with its times in a time zone."""
    return {
        symbol: _row(stats, market, hours.get(symbol), now, zone)
        for symbol, stats in sorted(market.symbols.items())
    }


def last_price(market: LiveState, symbol: str) -> float | None:
    """Return the price of a symbol's last trade."""
    seen, stats = market.ticks.get(symbol), market.symbols.get(symbol)
    return seen.message.price if seen else stats.last_price if stats else None


def change_text(change: float | None) -> str:
    """Return a change in percent.

    >>> change_text(-1.234), change_text(None)
    ('−1.23\u202f%', '—')
    """
    return NONE if change is None else f"{number(change, 2, sign=True)}\N{NARROW NO-BREAK SPACE}%"


def _row(stats: SymbolStats, market: LiveState, hour: SeriesBuffer[Bar] | None, now: Now, zone: str) -> Row:
    last = last_price(market, stats.symbol)
    since_s = age_s(stats.symbol, market, now)
    heights, moved = hour_line(hour.points) if hour else ([], None)
    return {
        "id": stats.symbol,
        "last": last,
        "change": stats.change_24h_pct,
        "hour": moved,
        "heights": heights,
        "age": since_s,
        "stale": is_stale(since_s),
        "volume": stats.volume_24h,
        "rate": stats.tick_rate if stats.collected else None,
        "note": None if stats.collected else _stored_note(stats, zone),
        "text": {
            "last": NONE if last is None else number(last, market.decimals.get(stats.symbol, 2)),
            "change": _since(stats, zone) or change_text(stats.change_24h_pct),
            "hour": change_text(moved),
            "age": _age_text(stats, since_s),
            "volume": quantity(stats.volume_24h),
            "rate": f"{per_second(stats.tick_rate)}/s" if stats.collected else STORED,
        },
    }


def _since(stats: SymbolStats, zone: str) -> str | None:
    """Return when the trades begin of a symbol that is collected for less than a day."""
    if not stats.collected or stats.change_24h_pct is not None or stats.first_event_us is None:
        return None
    return f"since {moment(stats.first_event_us, zone)[11:16]}"


def _stored_note(stats: SymbolStats, zone: str) -> str:
    """Return what there is of a symbol that is not collected now."""
    if stats.first_event_us is None or stats.last_event_us is None:
        return "Not collected now; nothing is stored."
    first, last = moment(stats.first_event_us, zone), moment(stats.last_event_us, zone)
    return f"Not collected now; stored from {first} to {last}."


def _age_text(stats: SymbolStats, since_s: int | None) -> str:
    """Return the age of the last trade, or of a symbol that is not live its state."""
    if stats.state not in (None, "live"):
        return str(stats.state)
    return NONE if since_s is None else age(since_s)


def is_stale(age_s: int | None) -> bool:
    """Return whether the last trade of a symbol is long ago, or not known."""
    return age_s is None or age_s >= STALE_S


def age_s(symbol: str, market: LiveState, now: Now) -> int | None:
    """Return how long ago a symbol's last trade was in seconds, None if that is not known."""
    seen, stats = market.ticks.get(symbol), market.symbols.get(symbol)
    if seen is not None:
        seconds = int(market.age_s(seen, now))
    elif stats is None or stats.last_event_us is None or market.feed == "replay":
        return None
    else:
        seconds = (now.us - stats.last_event_us) // SECOND
    # What is as good as now stays as it is, so that a row is not sent for it.
    return seconds if seconds >= 2 else 0


def hour_line(bars: list[Bar]) -> tuple[list[int | None], float | None]:
    """Return the closes of the hour before the last of `bars` in hundredths of their range, and its change in percent.

    A minute without a trade has the close before it, None before the first; no line without two bars in that hour.
    """
    if len(bars) < 2:
        return [], None
    end = bars[-1].start_us // MINUTE
    closes = {bar.start_us // MINUTE: bar.close for bar in bars if bar.start_us // MINUTE > end - HOUR_BARS}
    if len(closes) < 2:
        return [], None
    low, high = min(closes.values()), max(closes.values())
    heights: list[int | None] = []
    for minute in range(end - HOUR_BARS + 1, end + 1):
        close = closes.get(minute)
        if close is None:
            heights.append(heights[-1] if heights else None)
        else:
            heights.append(round(STEPS * (close - low) / (high - low)) if high > low else STEPS // 2)
    first = closes[min(closes)]
    return heights, (bars[-1].close / first - 1) * 100
