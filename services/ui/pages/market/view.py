"""View of the market page in one session."""

from typing import Any

import msgspec

from services.common import clock
from services.common.clock import MINUTE
from services.contracts.intervals import ALL_WIDTHS_US, AnyInterval
from services.ui.api import downloads
from services.ui.api.types import Bar
from services.ui.charts import lightweight, updates
from services.ui.charts.lightweight import Series
from services.ui.charts.updates import ChartCursor
from services.ui.pages.market import candles, levels, symbols
from services.ui.pages.market.candles import is_whole
from services.ui.pages.market.layout import COUNTS, PLACES, USUAL, chart_id
from services.ui.series import gap_shading
from services.ui.series.buffer import SeriesBuffer
from services.ui.series.cache import BARS_KEPT, BARS_MOST
from services.ui.series.gap_shading import GapShading, SilentStretch
from services.ui.state.live_state import LiveState, Now
from services.ui.state.page_context import PageContext, Props, Selection, View
from services.ui.widgets import batched_elements
from services.ui.widgets.batched_elements import Row
from services.ui.widgets.formatting import NONE, age, number, quantity, share

# The box to find a symbol is there from this many on.
MANY = 8
# Candles stand side by side however long nothing traded between them; so long, and it is marked.
QUIET_US = MINUTE
GLUE = "\N{NO-BREAK SPACE}"


class MarketView(View):
    """All symbols, and candles of one in each chart."""

    cleared = tuple(f"{name}{place}" for name in ("candles-empty", "legend-bar", "older") for place in PLACES)

    def __init__(self, site: PageContext, mark: Any = None) -> None:
        super().__init__(site, mark)
        self._cursors = _cursors(mark)
        self._holes = {place: GapShading() for place in PLACES}
        self._shades: dict[str, Series] = {}
        self._rows: dict[str, Row] = {}
        self._listed_s = -1

    def step(self, selection: Selection, now: Now) -> Props:
        """Return what the page shows now."""
        market = self.site.market
        names, chosen = _symbols(market, selection)
        intervals = dict(zip(PLACES, _intervals(selection), strict=False))
        shown = {
            place: names[n] if n < len(names) else names[0] for n, place in enumerate(intervals) if names
        }
        active = shown.get(selection.text("active") or "") or shown.get("")
        props = {**self._list(now, selection.zone), **_quote(market, active, now), **chosen}
        self.title = _title(market, active)
        self.dropped = {}
        if active is None:
            return props | updates.empty("candles-empty", "Waiting for the API")
        self._cursors = {place: cursor for place, cursor in self._cursors.items() if place in shown}
        self._shades = {}
        for place, symbol in shown.items():
            props |= self._chart(place, symbol, intervals[place], selection)
            props[f"symbol-select{place}"] = {"data": sorted({*market.symbols, symbol})}
        self.mark = msgspec.to_builtins(self._cursors)
        return props | {"candles-shades": {"data": self._shades}}

    def _list(self, now: Now, zone: str) -> Props:
        if int(now.s) == self._listed_s:
            return {}
        self._listed_s = int(now.s)
        market, before = self.site.market, self._rows
        self._rows = symbols.rows(market, self.site.tracks.hours(market.symbols), now, zone)
        find = {"display": "block" if len(self._rows) >= MANY else "none"}
        return {**batched_elements.changes("symbols-table", before, self._rows), "symbol-filter": find}

    def _chart(self, place: str, symbol: str, interval: AnyInterval, selection: Selection) -> Props:
        chart, decimals = chart_id(place), self.site.market.decimals.get(symbol, 2)
        width_us = ALL_WIDTHS_US[interval]
        track = self.site.tracks.bars(symbol, interval)
        wanted = _wanted(selection, place)
        track.ensure_length(wanted)
        key = f"{symbol}|{interval}"
        is_log, drawn = place in _logarithmic(selection), levels.of(selection, symbol)
        step = updates.step(
            chart,
            track,
            self._cursors.get(place),
            f"{key}|{_of_place(selection, 'turns', place)}",
            lambda bars: candles.candle_series(
                key, bars, decimals, width_us, is_log=is_log, lines=levels.lines(drawn)
            ),
            lambda bars: candles.candle_updates(key, bars, width_us),
            wanted,
            f"{is_log}|{drawn}",
        )
        if step.cursor is None:
            self._cursors.pop(place, None)
        else:
            self._cursors[place] = step.cursor
        if step.cursor and track.points:
            quiet = SilentStretch(width_us, width_us + QUIET_US - 1, "no trade")
            gaps = gap_shading.open_gaps(self.site, (symbol,))
            ends = step.cursor.first_us, step.cursor.last_us
            shade = self._holes[place].shade(track, *ends, gaps, quiet, selection.zone)
            if shade.points:
                self._shades[chart] = lightweight.shade(key, shade.points, shade.markers)
                step.props[chart].get("series", []).append(self._shades[chart])
        if step.dropped:
            self.dropped[chart] = step.dropped
        why = updates.why_empty(track, f"No {interval} bars of {symbol} yet")
        return {
            **step.props,
            **updates.empty(f"candles-empty{place}", why),
            f"candles{place}-title": {"children": key.replace("|", " ")},
            f"legend-bar{place}": {"children": _legend(track.points[-1], decimals) if track.points else ""},
            f"older{place}": {"children": _older(track, wanted)},
            f"candles-csv{place}": {"href": _csv(symbol, interval, step.cursor)},
        }


def _cursors(mark: Any) -> dict[str, ChartCursor]:
    try:
        return msgspec.convert(mark or {}, dict[str, ChartCursor])
    except msgspec.ValidationError:
        return {}  # a page older than this process


def _intervals(selection: Selection) -> list[AnyInterval]:
    names: dict[str, AnyInterval] = {interval: interval for interval in ALL_WIDTHS_US}
    asked = (selection.opened_with("interval") or "").split(",")
    intervals = [names[name] for name in asked if name in names]
    return intervals if str(len(intervals)) in COUNTS else [USUAL[0]]


def _of_place(selection: Selection, name: str, place: str) -> int:
    said = selection.asks.get(name)
    number = said.get(place) if isinstance(said, dict) else None
    return number if isinstance(number, int) else 0


def _wanted(selection: Selection, place: str) -> int:
    return min(BARS_MOST, max(BARS_KEPT, _of_place(selection, "older", place)))


def _older(track: SeriesBuffer[Bar], wanted: int) -> str:
    if track.is_reading_older:
        return "Loading older bars…"
    if track.older_error is not None:
        return f"No older bars: {track.older_error}"
    if track.is_whole:
        return "No older bars"
    return "The chart holds no more bars." if wanted >= BARS_MOST else ""


def _csv(symbol: str, interval: str, cursor: ChartCursor | None) -> str:
    start = None if cursor is None else clock.to_iso(cursor.first_us)
    return downloads.link(
        "/v1/bars", symbol=symbol, interval=interval, start=start, limit=2 * BARS_MOST if cursor else None
    )


def _logarithmic(selection: Selection) -> list[str]:
    """Return the places of charts whose prices are logarithmic: before the page says them, those of the address."""
    said = selection.asks.get("log")
    if isinstance(said, list):
        return said
    numbers = (selection.opened_with("log") or "").split(",")
    return [place for n, place in enumerate(PLACES, 1) if str(n) in numbers]


def _symbols(market: LiveState, selection: Selection) -> tuple[list[str], Props]:
    """Return the symbols of the charts in order, of those beyond the last it is the first.

    That is the first of all once the page has read its address and names none.
    """
    asked = [name for name in (selection.opened_with("symbol") or "").split(",") if name]
    if asked or not market.symbols or not selection.is_read:
        return asked, {}
    first = min(market.symbols)
    return [first], {"symbol": {"data": first}}


def _quote(market: LiveState, symbol: str | None, now: Now) -> Props:
    if symbol is None:
        return {}
    last, stats = symbols.last_price(market, symbol), market.symbols.get(symbol)
    change = stats.change_24h_pct if stats else None
    sign = "" if not change else "up" if change > 0 else "down"
    since_s = symbols.age_s(symbol, market, now)
    is_stale = last is not None and symbols.is_stale(since_s)
    return {
        "quote-symbol": {"children": symbol},
        "quote-price": {
            "children": _price(market, symbol, last),
            "className": f"quote-price num{' old' if is_stale else ''}",
        },
        "quote-age": {"children": f"last trade {age(since_s)}" if is_stale and since_s else ""},
        "quote-change": {
            "children": "" if change is None else f"{symbols.change_text(change)} in 24 h",
            "className": f"quote-change num {sign}",
        },
    }


def _title(market: LiveState, symbol: str | None) -> str | None:
    last = symbols.last_price(market, symbol) if symbol else None
    if symbol is None or last is None or not market.connected:
        return None
    return f"{_price(market, symbol, last)} {symbol}"


def _price(market: LiveState, symbol: str, price: float | None) -> str:
    return NONE if price is None else number(price, market.decimals.get(symbol, 2))


def _legend(bar: Bar, decimals: int) -> str:
    prices = (("O", bar.open), ("H", bar.high), ("L", bar.low), ("C", bar.close))
    parts = [
        *(f"{name}{GLUE}{number(price, decimals)}" for name, price in prices),
        f"V{GLUE}{quantity(bar.volume or 0.0)}",
    ]
    if bar.vwap is not None:
        parts.append(f"VWAP{GLUE}{number(bar.vwap, decimals)}")
    if not bar.closed:
        parts.append("still open")
    elif not is_whole(bar):
        parts.append(f"{share(bar.coverage)} of its time")
    return "  ".join(parts)
