"""Coverage of the tape of each symbol, as a table."""

from typing import Any

from dash.development.base_component import Component

from services.common.clock import SECOND
from services.ui.api.types import SymbolTape
from services.ui.state.live_state import LiveState, Now
from services.ui.widgets import components
from services.ui.widgets.batched_elements import Row
from services.ui.widgets.formatting import NONE, age, number, per_second, share

STALE_S = 10.0
STORED = "not collected now"

_RIGHT = {"type": "rightAligned"}
_TEXT = "params.data.text."


def _column(field: str, name: str, tip: str, width: int, **more: Any) -> dict[str, Any]:
    shown = {"valueFormatter": {"function": f"{_TEXT}{field}"}}
    return {
        "field": field,
        "headerName": name,
        "headerTooltip": tip,
        "width": width,
        **_RIGHT,
        **shown,
        **more,
    }


_HERE = "trades that are here; a replay keeps no account"
_COVERAGE = {
    "tooltipField": "reason",
    "cellClassRules": {"late": "params.value !== null && params.value < 1"},
}
_WARN_ABOVE = {"cellClassRules": {"late": "params.value > 0"}}
COLUMNS: list[dict[str, Any]] = [
    {"field": "id", "headerName": "Symbol", "width": 110, "pinned": "left"},
    {"field": "last", "headerName": "Last trade", **components.TIME_COLUMN},
    _column("age", "Age", "How long ago that was", 86, cellClassRules={"late": "params.data.stale"}),
    _column("rate", "Trades/s", "Trades per second in the minute before the last trade", 84),
    _column("hour", "Coverage 1 h", f"Share of the last hour's {_HERE}", 110, **_COVERAGE),
    _column("day", "Coverage 24 h", f"Share of the last day's {_HERE}", 116, **_COVERAGE),
    _column("gaps", "Open gaps", "Gaps whose trades are missing still", 92, **_WARN_ABOVE),
    {
        "field": "streams",
        "headerName": "Stale streams",
        "headerTooltip": "Streams silent for longer than their trade rate makes plausible, or not collected",
        "flex": 1,
        "minWidth": 130,
        "tooltipField": "streams",
        "cellClassRules": {"late": f"!['{NONE}', '{STORED}'].includes(params.value)"},
    },
]


def table() -> Component:
    """Return the table, without symbols."""
    return components.table("tapes-table", COLUMNS, "No symbols yet.", tooltipShowDelay=300)


def rows(market: LiveState, now: Now) -> dict[str, Row]:
    """Return a row for each symbol, by name."""
    tapes = sorted(market.tapes, key=lambda tape: tape.symbol)
    return {tape.symbol: _row(tape, market, now) for tape in tapes}


def _row(tape: SymbolTape, market: LiveState, now: Now) -> Row:
    seen, stats = market.ticks.get(tape.symbol), market.symbols.get(tape.symbol)
    last_us = seen.message.event_us if seen else tape.last_event_us
    rate = stats.tick_rate if stats else None
    age_s = _age_s(last_us, market, tape.symbol, now)
    return {
        "id": tape.symbol,
        # To the second: what changes within it would have the whole table sent again.
        "last": None if last_us is None else last_us // SECOND * 1000,
        "age": age_s,
        "stale": age_s is None or age_s >= STALE_S,
        "rate": rate,
        "reason": tape.coverage_reason,
        "hour": tape.coverage_1h,
        "day": tape.coverage_24h,
        "gaps": tape.open_gaps,
        "streams": ", ".join(tape.stale) or (NONE if tape.collected else STORED),
        "text": {
            "age": NONE if age_s is None else age(age_s),
            "rate": NONE if rate is None else per_second(rate),
            "hour": share(tape.coverage_1h),
            "day": share(tape.coverage_24h),
            "gaps": number(tape.open_gaps, 0),
        },
    }


def _age_s(last_us: int | None, market: LiveState, symbol: str, now: Now) -> int | None:
    seen = market.ticks.get(symbol)
    if seen is not None:
        return int(market.age_s(seen, now))
    if last_us is None or market.feed == "replay":
        return None
    return (now.us - last_us) // SECOND
