"""Forms of the upload page: files, and the options for reading them."""

from functools import cache
from typing import Any
from zoneinfo import available_timezones

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from services.ui.pages.upload import report, result
from services.ui.state.page_context import attributes
from services.ui.widgets.components import pane

EXAMPLE = """time,symbol,open,high,low,close,volume
2024-05-01T00:00:00Z,BTCUSDT,60000.1,60050.0,59990.5,60020.3,12.5
2024-05-01T00:00:00Z,ETHUSDT,3000.5,3004.0,2999.1,3001.2,88.1
2024-05-01T00:01:00Z,BTCUSDT,60020.3,60031.9,60001.0,60008.8,9.75
2024-05-01T00:01:00Z,ETHUSDT,3001.2,3002.5,2998.0,2999.4,61.3
"""
LABELS = {
    "name": "Name of the dataset",
    "symbols": "Symbols, one a file",
    "zone": "Time zone, if the file names none",
    "delimiter": "Separator",
    "decimal": "Decimal sign",
    "thousands": "Thousands separated by",
    "date_order": "Order in dates",
    "time_unit": "Unit of times that are numbers",
    "time_format": "Format of times",
}
CHOICES = {
    "delimiter": ("comma", "semicolon", "tab", "pipe"),
    "decimal": (".", ","),
    "thousands": ("comma", "point", "space", "apostrophe"),
    "date_order": ("dmy", "mdy", "ymd"),
    "time_unit": ("s", "ms", "us", "ns", "excel"),
}


def layout() -> Component:
    """Return the pane of the files."""
    drop = html.Div(
        [
            html.Button("Choose files", id="upload-choose", n_clicks=0, className="button is-first"),
            html.Span(
                "or drop them here: bars as CSV, Excel, Parquet or JSON, plain, gz or zip",
                className="pane-note",
            ),
        ],
        id="upload-drop",
        className="drop",
    )
    going = html.Div(
        [
            html.Progress(id="upload-progress", value="0", max="1", **attributes("aria", label="Uploaded")),
            html.Span(id="upload-sent", className="pane-note num", role="status"),
            html.Button("Cancel", id="upload-cancel", n_clicks=0, className="button"),
        ],
        className="going",
    )
    body = html.Div(
        [
            drop,
            html.Div(id="upload-wrong", className="panel-status is-error", role="alert"),
            html.Div(id="upload-question", className="upload-question"),
            going,
            *_preview(),
            _hint(),
        ],
        id="upload-panel",
        className="upload-panel is-idle",
    )
    return pane("Upload files", body, "upload")


def _preview() -> list[Component]:
    go = html.Div(
        [
            _control("name"),
            html.Button("Upload", id="upload-go", n_clicks=0, className="button is-first"),
            html.Button("Discard", id="upload-discard", n_clicks=0, className="button"),
        ],
        className="form upload-go",
    )
    columns = [
        dmc.Autocomplete(id=f"column-{field}", label=f"Column: {field}", size="xs") for field in report.FIELDS
    ]
    others = [_control(field) for field in result.FIELDS if field != "name"]
    mapping = html.Details(
        [
            html.Summary("Correct the recognised format"),
            html.P(
                "Empty fields are recognised from the file and shown in grey. Name a column by its header, or by its "
                "number, from 1. Clock is a separate column with the time of day.",
                className="fine",
            ),
            html.Div([*columns, *others], className="form"),
        ],
        className="mapping",
    )
    found = html.Div(
        [html.P(id="upload-found", className="upload-found", role="status"), go], className="previewed"
    )
    tables = html.Div(
        [
            html.Div(id="upload-bars"),
            html.Div(id="upload-readings"),
            html.Div(id="upload-findings", className="upload-findings"),
        ],
        className="previewed",
    )
    return [found, mapping, tables]


def _control(field: str) -> Component:
    common: dict[str, Any] = {"id": f"file-{field}", "label": LABELS[field], "size": "xs"}
    control: Component
    if field in CHOICES:
        control = dmc.Select(data=list(CHOICES[field]), clearable=True, **common)
    elif field == "zone":
        control = dmc.Autocomplete(data=_zones(), placeholder="UTC", limit=50, **common)
    else:
        usual = {"placeholder": "%d/%m/%Y %I:%M %p"} if field == "time_format" else {}
        control = dmc.TextInput(**usual, **common)
    return control


def _hint() -> Component:
    return html.Section(
        [
            html.H4("File format"),
            html.Pre(EXAMPLE, id="upload-example", tabIndex=0, **attributes("aria", label="Example")),
            html.Button("Copy the example", id="upload-copy", n_clicks=0, className="button is-link"),
            html.Span(id="upload-copied", className="pane-note", role="status"),
            html.Ul(
                [
                    html.Li("Columns are known by their names, in any order. Closes alone are enough."),
                    html.Li(
                        "The symbol is a column, or in the file's name: BTCUSDT-1m.csv, BTC_USDT-1h.json."
                    ),
                    html.Li("Times are dates in any usual form, or numbers; without a zone they are UTC."),
                    html.Li("Separators, decimal signs, thousands and the order of dates are recognised."),
                    html.Li("If a file is ambiguous you are asked, with a preview of each reading."),
                    html.Li("Invalid lines are skipped and listed with line number and reason."),
                ]
            ),
        ],
        className="hint",
    )


def options() -> list[str]:
    """Return the controls that say how files are read."""
    return [
        *(f"column-{field}" for field in report.FIELDS),
        *(f"file-{field}" for field in result.FIELDS if field != "name"),
    ]


@cache
def _zones() -> list[str]:
    cities = {zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/")}
    return ["UTC", *sorted(cities)]
