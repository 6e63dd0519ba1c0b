"""Result of a preview or an upload, from the API's response."""

from collections.abc import Sequence
from typing import Any

import httpx
import msgspec
from dash import html
from dash.development.base_component import Component
from msgspec import Struct

from services.ui.api import problems
from services.ui.api.types import FileReading, Finding, Preview, PreviewBar
from services.ui.pages.upload.listing import width_name
from services.ui.pages.upload.report import FIELDS as COLUMNS
from services.ui.pages.upload.report import plain_table, readings, time_name
from services.ui.state.page_context import Props, attributes
from services.ui.widgets.formatting import MAX_DECIMALS, decimals_of, moment, number

FIELDS = (
    *("name", "symbols", "zone", "delimiter", "decimal", "thousands", "time_unit", "date_order"),
    "time_format",
)
SHOWN_BARS = 8
SILENT = "The dashboard server does not answer: nothing was stored as far as it is known. Try again."
NONE_FOUND = "not found"


class Reading(Struct, frozen=True):
    """A value of an option, and the first bars that it gives."""

    value: str
    bars: tuple[PreviewBar, ...]


class Question(Struct, frozen=True):
    """What a file does not tell: the option that would, and what each reading gives."""

    option: str
    readings: tuple[Reading, ...]


def shown(answer: dict[str, Any], zone: str) -> Props:
    """Return what the page shows of an answer.

    `answer` has ``kind`` (``preview`` or ``stored``), ``status`` (0 without an answer) and ``document``.
    """
    status, document = int(answer["status"]), answer.get("document")
    fine: Props = {f"file-{field}": {"error": ""} for field in FIELDS}
    fine["upload-question"] = {"children": []}
    if status == 0:
        return {**fine, **_wrong(SILENT)}
    if status >= httpx.codes.BAD_REQUEST:
        if isinstance(document, dict) and "question" in document:
            asked = msgspec.convert(document["question"], Question)
            at = {f"file-{asked.option}": {"error": "The file does not say"}}
            return {**fine, **at, **_wrong(f"{document['detail']}."), **question(asked, zone)}
        if isinstance(document, dict) and "file" in document:
            return {**fine, **_wrong(f"{document['detail']}.")}
        wrong = problems.read(httpx.Response(status, json=document), FIELDS)
        at = {f"file-{field}": {"error": text} for field, text in wrong.fields.items()}
        return {**fine, **at, **_wrong(wrong.rest)}
    if answer["kind"] == "stored":
        return {**fine, **_wrong("")}
    found = msgspec.convert(document, Preview)
    return {**fine, **_wrong(""), **preview(found, bool(answer.get("partial")), zone)}


def question(asked: Question, zone: str) -> Props:
    """Return what a file is asked, each reading with the bars that it gives, to be chosen by its button."""
    readings = [
        html.Div(
            [
                html.Button(
                    f"{asked.option} = {one.value}",
                    className="button is-first",
                    **attributes("data", option=asked.option, value=one.value),
                ),
                _bars(one.bars, zone, "What it gives"),
            ]
        )
        for one in asked.readings
    ]
    return {"upload-question": {"children": readings}}


def preview(found: Preview, partial: bool, zone: str) -> Props:
    """Return what files would become; `partial` if only their beginnings were sent."""
    first = found.files[0]
    return {
        "upload-found": {"children": _summary(found, partial)},
        "upload-readings": {"children": readings(found.files)},
        "upload-bars": {"children": _bars(found.bars, zone, "First bars")},
        "upload-findings": {"children": _findings(found)},
        "file-name": {"placeholder": first.name.partition(".")[0]},
        "file-symbols": {"placeholder": ",".join(_symbol(one) for one in found.files)},
        "file-delimiter": {"placeholder": first.delimiter or ""},
        "file-decimal": {"placeholder": first.decimal or ""},
        "file-thousands": {"placeholder": first.thousands or ""},
        "file-date_order": {"placeholder": first.time if first.time in ("dmy", "mdy", "ymd") else ""},
        "file-time_unit": {"placeholder": time_name(first.time or "")},
        **{
            f"column-{field}": {"placeholder": (first.columns or {}).get(field, NONE_FOUND)}
            for field in COLUMNS
        },
    }


def _summary(found: Preview, partial: bool) -> str:
    files = "1 file" if len(found.files) == 1 else f"{len(found.files)} files"
    named = ", ".join(found.symbols[:5]) + (
        f" and {len(found.symbols) - 5} more" if len(found.symbols) > 5 else ""
    )
    width = "one bar of each symbol" if found.width_s is None else f"bars of {width_name(found.width_s)}"
    whole = found.complete and not partial
    looked = f"{'All' if whole else 'The first'} {number(found.lines, 0)} lines were looked at"
    bad = (
        f"{number(found.rejected, 0)} of them are invalid and would be skipped"
        if found.rejected
        else "each is a bar"
    )
    aside = f", {number(found.skipped, 0)} are not meant as one" if found.skipped else ""
    aside += f", {number(found.adjusted, 0)} are adjusted by rounding" if found.adjusted else ""
    disorder = f", {number(found.out_of_order, 0)} are out of order" if found.out_of_order else ""
    return (
        f"{files}: {named or 'no symbol'}, {width}. {looked}: {bad}{aside}{disorder}. Nothing is stored yet."
    )


def _bars(bars: Sequence[PreviewBar], zone: str, caption: str) -> Component:
    decimals = min(MAX_DECIMALS, max((decimals_of(bar.close) for bar in bars), default=2))
    return plain_table(
        caption,
        ("Line", "Symbol", "Time", "Open", "High", "Low", "Close", "Volume"),
        [
            (
                number(bar.line, 0),
                bar.symbol,
                moment(bar.start_us, zone),
                *(number(price, decimals) for price in (bar.open, bar.high, bar.low, bar.close)),
                "none" if bar.volume is None else f"{bar.volume:g}",
            )
            for bar in bars[:SHOWN_BARS]
        ],
        right=("Line", "Open", "High", "Low", "Close", "Volume"),
    )


def _findings(found: Preview) -> list[Component]:
    if not found.findings:
        return []
    return [
        html.H4("First problems found"),
        html.Ul([_finding(one) for one in found.findings]),
    ]


def _finding(found: Finding) -> Component:
    item: Component = html.Li([html.B(f"{found.file}:{found.line} "), f"{found.kind}: {found.reason}"])
    return item


def _symbol(file: FileReading) -> str:
    return file.symbol or "column"


def _wrong(text: str) -> Props:
    return {"upload-wrong": {"children": text, "className": "panel-status is-error"}}
