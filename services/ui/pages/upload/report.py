"""Import report of a dataset: what is stored, what was left out, and why."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from services.ui.api.types import DatasetDetail, FileReading, Finding
from services.ui.pages.upload.listing import carried_share, width_name
from services.ui.state.page_context import attributes
from services.ui.widgets.components import table
from services.ui.widgets.formatting import NONE, moment, number

KINDS = {
    "all": "All",
    "rejected": "Rejected",
    "skipped": "Skipped",
    "adjusted": "Adjusted",
    "repeated": "Repeated",
    "out of order": "Out of order",
    "odd": "Odd",
    "gap": "Gaps",
    "carried": "Carried",
}
FIELDS = ("time", "clock", "symbol", "open", "high", "low", "close", "volume")
_TIME_NAMES = {
    "iso": "ISO 8601",
    "us": "µs since 1970",
    "excel": "days of a spreadsheet",
    "digits": "digits of a date",
    "text": "with the name of a month",
    "dmy": "day/month/year",
    "mdy": "month/day/year",
    "ymd": "year/month/day",
}
MOST_SHOWN = 1_000
COLUMNS: list[dict[str, Any]] = [
    {"field": "kind", "headerName": "Kind", "width": 96},
    {"field": "line", "headerName": "Line", "width": 76, "type": "rightAligned"},
    {"field": "reason", "headerName": "Reason", "flex": 1, "minWidth": 320, "tooltipField": "reason"},
    {"field": "file", "headerName": "File", "width": 170, "tooltipField": "file"},
]


def findings() -> Component:
    """Return the table of findings, without rows."""
    return table("dataset-findings", COLUMNS, "No findings.", tooltipShowDelay=300)


def rows(found: Iterable[Finding]) -> list[dict[str, Any]]:
    """Return a row for each finding."""
    return [
        {"id": str(nth), "kind": one.kind, "file": one.file, "line": one.line, "reason": one.reason}
        for nth, one in enumerate(found)
    ]


def counts(found: DatasetDetail) -> list[Component]:
    """Return the counts of stored and refused lines."""
    said: tuple[tuple[str, int | None, str], ...] = (
        ("Bars stored", found.bars, f"of {_many(found.symbol_count, 'symbol')}"),
        ("Lines rejected", found.rejected, "not bars"),
        ("Lines skipped", found.skipped, "headers, totals, comments, blank lines"),
        ("Bars adjusted", found.adjusted, "by rounding"),
        ("Bars at odd times", found.odd, "they are stored"),
        ("Bars repeated", found.repeated, "first row per timestamp kept"),
        ("Out of order", found.out_of_order, "they are stored"),
        ("Bars missing", found.missing, f"in {_many(found.gaps, 'gap')}"),
        ("Bars carried", found.carried, _of_carried(found)),
    )
    return [
        html.Div(
            [
                html.Div(label, className="card-label"),
                html.Div(NONE if value is None else number(value, 0), className="card-value num"),
                html.Span(note, className="note"),
            ],
            className="card",
        )
        for label, value, note in said
    ]


def symbols(found: DatasetDetail, zone: str) -> Component:
    """Return the table of symbols, with their bars and gaps."""
    return plain_table(
        "Symbols",
        ("Symbol", "Bars", "From", "To", "Gaps", "Missing", "Carried"),
        [
            (
                part.symbol,
                number(part.bars, 0),
                moment(part.first_us, zone),
                moment(part.last_us, zone),
                number(part.gaps, 0),
                number(part.missing, 0),
                carried_share(part.carried_share),
            )
            for part in found.symbols
        ],
        right=("Bars", "Gaps", "Missing", "Carried"),
    )


def readings(files: Iterable[FileReading]) -> Component:
    """Return how each file was understood."""
    return plain_table(
        "How the files were read",
        ("File", "Symbol", "Columns", "Times", "Separator", "Decimal", "Header", "By evidence"),
        [
            (
                file.name,
                file.symbol or "a column says it",
                _columns(file),
                _times(file),
                file.delimiter or NONE,
                file.decimal or NONE,
                {None: NONE, 0: "none"}.get(file.header_line, f"line {file.header_line}"),
                "; ".join(file.notes or ()) or NONE,
            )
            for file in files
        ],
    )


def facts(found: DatasetDetail, zone: str) -> str:
    """Return a dataset in one line."""
    span = f"{moment(found.first_us, zone)} to {moment(found.last_us, zone)}"
    return f"{number(found.bars, 0)} bars of {width_name(found.width_s)}, {span}"


def plain_table(
    caption: str, heads: Sequence[str], cells: Iterable[Sequence[str]], right: Collection[str] = ()
) -> Component:
    """Return a short table of text; the columns `right` are figures."""
    sides = ["is-right" if head in right else "" for head in heads]
    heading = [html.Th(head, scope="col", className=side) for head, side in zip(heads, sides, strict=True)]
    body = [
        html.Tr([html.Td(cell, className=side) for cell, side in zip(line, sides, strict=True)])
        for line in cells
    ]
    parts = [html.Caption(caption), html.Thead(html.Tr(heading)), html.Tbody(body)]
    grid: Component = html.Div(
        html.Table(parts, className="plain num"),
        className="plain-scroll",
        tabIndex=0,
        role="region",
        **attributes("aria", label=caption),
    )
    return grid


def _columns(file: FileReading) -> str:
    if not file.columns:
        return NONE
    named = {field: file.columns[field] for field in FIELDS if field in file.columns}
    said = ", ".join(
        field if field == column.lower() else f"{field} = {column}" for field, column in named.items()
    )
    return f"{said}; closes alone" if file.close_only else said


def _times(file: FileReading) -> str:
    return f"{time_name(file.time or NONE)}, {file.zone or 'UTC'} if without a zone"


def time_name(kind: str) -> str:
    """Return how times are written.

    >>> time_name("iso"), time_name("ms"), time_name("%d/%m/%Y"), time_name("mdy")
    ('ISO 8601', 'ms since 1970', '%d/%m/%Y', 'month/day/year')
    """
    return _TIME_NAMES.get(kind, f"{kind} since 1970" if kind in ("s", "ms", "ns") else kind)


def _of_carried(found: DatasetDetail) -> str:
    if found.carried is None:
        return "unknown: no volume is above 0"
    if not found.carried:
        return "every bar has trades"
    return f"{carried_share(found.carried_share)}: no trades; analyses leave them out"


def _many(count: int, thing: str) -> str:
    return f"{number(count, 0)} {thing}{'' if count == 1 else 's'}"
