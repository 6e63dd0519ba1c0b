"""Gaps of the tape, and whether each was repaired, as a table."""

from typing import Any

from dash.development.base_component import Component

from services.ui.api import downloads
from services.ui.api.poll_cache import PolledAnswer
from services.ui.api.types import Gap, Listing
from services.ui.series.gap_shading import LIMIT, PATH
from services.ui.state.page_context import Selection
from services.ui.widgets import components
from services.ui.widgets.formatting import NONE, number

ANY = "any"
"""Stands for every symbol; no symbol is written in lower case."""
STATES = {
    "found": "being repaired",
    "repaired": "repaired",
    "refuted": "refuted: no such trades",
    "unrepaired": "given up",
}
CHOICES = {
    "all": "All",
    "open": "Open",
    "repaired": "Repaired",
    "refuted": "Refuted",
    "unrepaired": "Given up",
}


COLUMNS: list[dict[str, Any]] = [
    {"field": "found", "headerName": "Found", **components.TIME_COLUMN, "width": 148},
    {"field": "symbol", "headerName": "Symbol", "width": 98},
    {
        "field": "state",
        "headerName": "State",
        "width": 160,
        "cellClassRules": {"late": "params.data.missing > 0"},
    },
    {"field": "trades", "headerName": "Trades", "width": 76, "type": "rightAligned"},
    {
        "field": "missing",
        "headerName": "Missing",
        "width": 80,
        "type": "rightAligned",
        "cellClassRules": {"late": "params.value > 0"},
    },
    {"field": "began", "headerName": "Began", **components.TIME_COLUMN, "width": 148},
    {"field": "updated", "headerName": "Last change", **components.TIME_COLUMN, "width": 148},
    {"field": "ids", "headerName": "Trade ids", "width": 190},
    {"field": "reason", "headerName": "Reason", "flex": 1, "minWidth": 180, "tooltipField": "reason"},
]


def table() -> Component:
    """Return the table, without gaps."""
    return components.table("gaps-table", COLUMNS, "No gap to show.", tooltipShowDelay=300)


def asked(selection: Selection) -> dict[str, str]:
    """Return the filters: parameters of the API."""
    state = selection.one_of("state", tuple(CHOICES), "all")
    symbol = selection.text("symbol")
    filters = {} if state == "all" else {"state": state}
    return filters if symbol in (None, ANY) else {**filters, "symbol": str(symbol)}


def link(filters: dict[str, str]) -> str:
    """Return where the same gaps are as CSV."""
    return downloads.link(PATH, **filters)


def rows(gaps: tuple[Gap, ...]) -> list[dict[str, Any]]:
    """Return a row for each gap."""
    return [
        {
            "id": f"{gap.symbol}:{gap.first_id}",
            "found": gap.found_us // 1000,
            "symbol": gap.symbol,
            "state": STATES.get(gap.state, gap.state),
            "trades": gap.last_id - gap.first_id + 1,
            "missing": gap.missing,
            "began": gap.start_us // 1000,
            "updated": gap.updated_us // 1000,
            "ids": f"{gap.first_id} to {gap.last_id}",
            "reason": gap.reason or NONE,
        }
        for gap in gaps
    ]


def words(found: PolledAnswer[Listing[Gap]]) -> str:
    """Return the note on the table: not there yet, old, or incomplete."""
    if found.value is None:
        return f"Not read: {found.error}" if found.error else "Loading…"
    if found.error:
        return f"Last known: {found.error}"
    count = len(found.value.data)
    if count == LIMIT:
        return f"The newest {number(LIMIT, 0)}; CSV has all"
    return f"{number(count, 0)} {'gap' if count == 1 else 'gaps'}"
