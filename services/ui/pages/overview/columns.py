"""Columns of the table of all pairs, and the states that it can be filtered by."""

from typing import Any

from dash.development.base_component import Component

from services.ui.widgets import components

TABLE = "overview-table"
STATES = {
    "all": "All",
    "reverting": "Reverting",
    "unproven": "Unproven",
    "broken": "Broken",
    "alerting": "Alerting",
    "stale": "Stale",
}
"""Filter by state: name in the address, and label."""
FIRST = "-z"
"""Order of a table that nobody has sorted: as in the address, largest |z| first."""


def _column(field: str, name: str, width: int, tip: str, **more: Any) -> dict[str, Any]:
    return {
        "field": field,
        "headerName": name,
        "headerTooltip": tip,
        "width": width,
        "valueFormatter": {"function": f"params.data.text.{field}"},
        **more,
    }


def _number(field: str, name: str, width: int, tip: str, **more: Any) -> dict[str, Any]:
    old = {"old": "params.data.is_old", **more.pop("cellClassRules", {})}
    # The first click on a header of numbers shows the largest.
    order = {"sortingOrder": ["desc", "asc", None], "type": "rightAligned"}
    return _column(field, name, width, tip, cellClassRules=old, **order, **more)


COLUMNS: list[dict[str, Any]] = [
    {
        "field": "pair",
        "headerName": "Pair",
        "width": 168,
        "pinned": "left",
        "cellRenderer": "PairLink",
        "sortingOrder": ["asc", "desc", None],
    },
    _number(
        "z",
        "|z|",
        64,
        "Size of the z-score of the second that is open",
        cellClassRules={"hot": "params.data.is_beyond && !params.data.is_old"},
    ),
    _number("rank", "Quantile", 82, "Share of the last hour's |z| that were smaller"),
    {
        "field": "line",
        "headerName": "z, 30 min",
        "headerTooltip": "Of every 30 s the z-score farthest from 0; dashed: the entry thresholds. Read every 30 s",
        "width": 124,
        "sortable": False,
        "valueFormatter": {"function": "''"},
        "cellRenderer": "OverviewLine",
    },
    _column(
        "reversion",
        "Reversion",
        88,
        "Whether the spread is seen to come back, tested once a minute",
        cellClassRules={
            "old": "params.data.is_old",
            "up": "params.value == 'reverting' && !params.data.is_old",
            "hot": "params.value == 'broken' && !params.data.is_old",
        },
    ),
    _number("half_life", "Half-life", 84, "Of the live window, median-unbiased, s", tooltipField="life"),
    _number("returns", "Returns", 80, "Correlation of returns, from trade to trade, in the live window"),
    _number(
        "bp",
        "Spread bp",
        92,
        "The spread now, in basis points of Y's price; its sign is that of z",
    ),
    _column(
        "alert",
        "Last alert",
        156,
        "The newest alert of the pair, of any rule",
        sortingOrder=["desc", "asc", None],
        tooltipField="told",
        cellClassRules={"firing": "params.data.is_firing"},
    ),
    _column(
        "state",
        "State",
        160,
        "Whether the numbers are of now, and why not",
        flex=1,
        minWidth=150,
        tooltipField="state",
        cellClassRules={"late": "params.data.is_old"},
    ),
]
SORTED = tuple(column["field"] for column in COLUMNS if column.get("sortable", True))
"""Columns that the table can be sorted by."""


def table() -> Component:
    """Return the table, without pairs."""
    return components.table(
        TABLE,
        COLUMNS,
        "No pair.",
        tooltipShowDelay=300,
        isExternalFilterPresent={"function": "true"},
        doesExternalFilterPass={"function": "pairstreamOverview(params.data)"},
    )
