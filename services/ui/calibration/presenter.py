"""Presenter of a calibration: an API response as the properties of its panel."""

from typing import Any, NamedTuple

from dash import html
from dash.development.base_component import Component

from services.common.clock import HOUR
from services.ui.api import downloads
from services.ui.api.client import segment
from services.ui.api.types import Calibration, HitRate
from services.ui.calibration import figures
from services.ui.state.page_context import Props, attributes
from services.ui.widgets.components import download
from services.ui.widgets.formatting import UTC, moment, number

PREFIX = "calibration"
RANGES = {"1h": "Last hour", "6h": "Last 6 hours", "24h": "Last day"}
USUAL: dict[str, Any] = {"range": "24h", "stop": "", "windows": 3}
TITLES = {
    "histogram": "Distribution of z",
    "qq": "Quantiles of z",
    "beyond": "Share beyond a level",
    "acf": "Autocorrelation of the spread",
    "waits": "Time from entry to exit",
    "entries": "What became of entries",
}
REASONS = {"entries": "hit_rate"}
"""Name of the reason of a table, where it differs from the table's."""


class CalibrationQuery(NamedTuple):
    """Query to the API: its path and parameters, and the user's time zone."""

    path: str
    params: dict[str, Any]
    zone: str = UTC


def question(asks: dict[str, Any], newest_us: int | None) -> CalibrationQuery:
    """Return what to ask; a range ends with the newest signal, at `newest_us`, if one is known."""
    path = f"/v1/pairs/{segment(asks['pair'])}/calibration"
    params = {name: asks[name] for name in ("stop", "windows") if asks.get(name) not in (None, "")}
    hours = asks.get("range")
    if hours in RANGES and hours != USUAL["range"] and newest_us is not None:
        params["start"] = newest_us - int(hours.removesuffix("h")) * HOUR + 1
    return CalibrationQuery(path, params, asks.get("zone") or UTC)


def answered(asked: CalibrationQuery, found: Calibration) -> Props:
    """Return what the panel shows of an answer."""
    return {
        f"{PREFIX}-status": {"children": "", "className": "panel-status"},
        f"{PREFIX}-coverage": {"children": coverage(found, asked.zone)},
        f"{PREFIX}-headline": {"children": headline(found)},
        f"{PREFIX}-charts": {"children": _charts(asked, found)},
    }


def refused(text: str) -> Props:
    """Return what the panel shows without an answer: why, and no old numbers."""
    return {
        f"{PREFIX}-status": {"children": text, "className": "panel-status is-error"},
        f"{PREFIX}-coverage": {"children": ""},
        f"{PREFIX}-headline": {"children": ""},
        f"{PREFIX}-charts": {"children": []},
    }


def coverage(found: Calibration, zone: str) -> str:
    """Return the range of signals in the answer, and what was left out."""
    if found.first_us is None or found.last_us is None:
        return "No signal is stored in this range."
    left_out = {
        "stale": found.stale,
        "without enough data": found.collecting,
        "without a z-score": found.without_zscore,
    }
    asides = ", ".join(f"{number(count, 0)} {what}" for what, count in left_out.items() if count)
    span = f"{moment(found.first_us, zone)} to {moment(found.last_us, zone)}"
    said = f"{number(found.known, 0)} of {number(found.signals, 0)} closed signals, {span}"
    said += f" (left out: {asides})." if asides else "."
    if found.fits > 1:
        said += f" The pair was fitted in {found.fits} ways within: these are z-scores of different meaning."
    return said


def headline(found: Calibration) -> list[Component]:
    """Return the headline of a calibration."""
    said = []
    at_entry = next((one for one in found.beyond if one.level == found.entry_z), None)
    if at_entry is not None:
        said.append(
            f"|z| ≥ {found.entry_z:g} in {_percent(at_entry.share)} of seconds; of a standard normal in "
            f"{_percent(at_entry.normal)}."
        )
    if found.moments is not None:
        mean, deviation = number(found.moments.mean, 2, sign=True), number(found.moments.deviation, 2)
        said.append(f"Mean {mean}, deviation {deviation}; of a standard normal 0 and 1.")
    if found.hit_rate is not None:
        said.append(_hits(found, found.hit_rate))
    return [html.P(text) for text in said]


def _hits(found: Calibration, rate: HitRate) -> str:
    known = rate.entries - rate.unresolved
    entries = "entry was a hit" if known == 1 else "entries were hits"
    return (
        f"{rate.hits} of {known} past {entries}: {_percent(rate.rate)} (95 % interval {_percent(rate.low)} to "
        f"{_percent(rate.high)}). {rate.unresolved} unresolved. A hit was back at ±{found.exit_z:g} before "
        f"±{found.stop_z:g}, and within {found.within_s} s."
    )


def _charts(asked: CalibrationQuery, found: Calibration) -> list[Component]:
    drawn = figures.figures(found)
    return [_chart(table, drawn.get(table), asked, found) for table in TITLES]


def _chart(
    table: str, drawn: figures.Figure | None, asked: CalibrationQuery, found: Calibration
) -> Component:
    said = _words(table, found)
    head = [html.B(TITLES[table]), html.Span(said, className="fine")]
    if drawn is None:
        why = found.not_enough_data.get(REASONS.get(table, table), "not enough data")
        body = html.Div(f"No chart: {why}.", className="figure-reason")
        return html.Figure([html.Figcaption(head), body], className="figure")
    picture = html.Div(
        figures.graph(drawn),
        className="figure-body",
        role="img",
        **attributes("aria", label=f"{TITLES[table]}: {said}"),
    )
    link: Any = download(f"{PREFIX}-csv-{table}")
    link.href, link.title = _link(table, asked, found), f"{TITLES[table]} as CSV"
    return html.Figure([html.Figcaption([*head, link]), picture], className="figure")


def _words(table: str, found: Calibration) -> str:
    """Return what there is to be seen."""
    match table:
        case "histogram":
            outside = sum(one.count for one in found.histogram if one.density is None)
            beyond = f"; {number(outside, 0)} s beyond ±6" if outside else ""
            return f"bars: this pair, line: standard normal{beyond}"
        case "qq":
            return "on the line, if z were standard normal"
        case "beyond":
            return f"dots: this pair, line: standard normal, dotted: entry ±{found.entry_z:g}"
        case "acf":
            return "white noise stays between the dashed lines in 95 of 100 lags"
        case "waits":
            return "of all entries; one that is not back yet counts as longer"
    return f"a hit: at ±{found.exit_z:g} before ±{found.stop_z:g} and within {found.within_s} s"


def _link(table: str, asked: CalibrationQuery, found: Calibration) -> str:
    """Return where exactly these signals are counted again, however many have come since."""
    span = {}
    if found.first_us is not None and found.last_us is not None:
        span = {"start": found.first_us, "end": found.last_us + 1}
    return downloads.link(asked.path, **{**asked.params, **span, "table": table, "format": "csv"})


def _percent(share: float) -> str:
    """Return a share in %, with a digit that tells it from none.

    >>> _percent(0.159), _percent(0.0456), _percent(0.00006), _percent(1.0)
    ('15.9 %', '4.6 %', '0.006 %', '100 %')
    """
    percent = 100 * share
    decimals = 0 if percent < 5e-4 or percent >= 99.95 else 1 if percent >= 0.95 else 3
    return f"{number(percent, decimals)} %"
