"""Delivery lag of each symbol, as a table."""

from typing import Any

from dash.development.base_component import Component

from services.ui.api.types import SymbolTape
from services.ui.state.live_state import LiveState
from services.ui.widgets import components
from services.ui.widgets.batched_elements import Row
from services.ui.widgets.formatting import NONE, lag

TABLE = "delivery-table"
LATE_MS = 2_000


def _column(field: str, name: str, width: int, tip: str, **more: Any) -> dict[str, Any]:
    return {
        "field": field,
        "headerName": name,
        "headerTooltip": tip,
        "flex": 1,
        "minWidth": width,
        "maxWidth": 150,
        "type": "rightAligned",
        "valueFormatter": {"function": f"params.data.text.{field}"},
        "cellClassRules": {"late": f"params.value > {LATE_MS}"},
        **more,
    }


COLUMNS: list[dict[str, Any]] = [
    {"field": "id", "headerName": "Symbol", "width": 100, "pinned": "left"},
    _column("now", "Now", 74, "Delivery lag of the latest trade"),
    _column("p50", "Half in", 74, "Median delivery lag of the last minute (p50)"),
    _column(
        "p99",
        "99 % in",
        98,
        "99th percentile of the delivery lag of the last minute (p99)",
        sort="desc",
    ),
]


def table() -> Component:
    """Return the table, without symbols; the one that is delivered latest comes first."""
    nothing = "No live trades in the last minute."
    return components.table(TABLE, COLUMNS, nothing, tooltipShowDelay=300)


def rows(market: LiveState) -> dict[str, Row]:
    """Return a row for each symbol that something was delivered of, by name."""
    return {tape.symbol: _row(tape) for tape in market.tapes if tape.delivery_now_ms is not None}


def _row(tape: SymbolTape) -> Row:
    lags = {"now": tape.delivery_now_ms, "p50": tape.delivery_p50_ms, "p99": tape.delivery_p99_ms}
    text = {name: NONE if ms is None else lag(ms) for name, ms in lags.items()}
    return {"id": tape.symbol, **lags, "text": text}
