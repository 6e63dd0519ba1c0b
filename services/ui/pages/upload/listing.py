"""List of datasets, as rows of a table."""

from typing import Any

from dash.development.base_component import Component

from services.ui.api.types import Dataset
from services.ui.widgets.components import TIME_COLUMN, table
from services.ui.widgets.formatting import number, share

Row = dict[str, Any]
MONTH_S = 2_629_746
"""The mean of a month, which the API has for bars of months."""


def _right(field: str, name: str, width: int, tip: str) -> dict[str, Any]:
    return {
        "field": field,
        "headerName": name,
        "headerTooltip": tip,
        "width": width,
        "type": "rightAligned",
        "valueFormatter": {"function": f"params.data.text.{field}"},
    }


COLUMNS: list[dict[str, Any]] = [
    {"field": "name", "headerName": "Name", "width": 142, "pinned": "left", "tooltipField": "name"},
    _right("symbols", "Symbols", 80, "How many symbols it has bars of"),
    _right("width", "Interval", 78, "From bar to bar"),
    _right("bars", "Bars", 92, "How many bars are stored"),
    _right("carried", "Carried", 84, "Share of bars in which nothing traded; unknown without volumes"),
    {"field": "first", "headerName": "From", **TIME_COLUMN, "width": 148},
    {"field": "last", "headerName": "To", **TIME_COLUMN, "width": 148},
    {"field": "uploaded", "headerName": "Uploaded", **TIME_COLUMN, "width": 148},
]


def listed() -> Component:
    """Return the table, without datasets."""
    choice = {"mode": "singleRow", "checkboxes": False, "enableClickSelection": False}
    return table(
        "datasets-table", COLUMNS, "No dataset is stored.", rowSelection=choice, tooltipShowDelay=300
    )


def row(dataset: Dataset) -> Row:
    """Return the row of a dataset."""
    return {
        "id": dataset.dataset_id,
        "name": dataset.name,
        "symbols": dataset.symbol_count,
        "width": dataset.width_s,
        "bars": dataset.bars,
        "carried": dataset.carried_share,
        "first": dataset.first_us // 1000,
        "last": dataset.last_us // 1000,
        "uploaded": dataset.uploaded_us // 1000,
        "text": {
            "symbols": number(dataset.symbol_count, 0),
            "width": width_name(dataset.width_s),
            "bars": number(dataset.bars, 0),
            "carried": carried_share(dataset.carried_share),
        },
    }


def carried_share(value: float | None) -> str:
    """Return the share of bars in which nothing traded.

    >>> carried_share(0.0), carried_share(None)
    ('none', 'unknown')
    """
    return "unknown" if value is None else share(value) if value else "none"


def width_name(seconds: float) -> str:
    """Return the width of a bar in its largest whole unit.

    >>> width_name(60.0), width_name(90.0), width_name(0.5), width_name(86_400.0), width_name(2_629_746.0)
    ('1 min', '90 s', '0.5 s', '1 d', '1 month')
    """
    if seconds >= MONTH_S and seconds % MONTH_S == 0:
        return f"{number(seconds / MONTH_S, 0)} month" + ("s" if seconds > MONTH_S else "")
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{number(seconds / size, 0)} {unit}"
    return f"{seconds:g} s"
