"""Presenter of an analysis: an API response as the properties of a panel."""

from dash import html
from dash.development.base_component import Component

from services.ui.analysis import chart as drawing
from services.ui.analysis import tables
from services.ui.analysis.chart import Thresholds
from services.ui.analysis.query import AnalysisQuery
from services.ui.api import downloads
from services.ui.api.types import Analysis, HalfLife
from services.ui.charts import measures, updates
from services.ui.state.page_context import Props
from services.ui.widgets.formatting import NONE, moment, number, share, significant_decimals

HEADLINES = {
    "cointegrated": "Cointegrated",
    "broken": "Broken: the relation of the legs has changed",
    "unstable": "Unstable: the hedge ratio changed within the sample",
    "one_way": "Inconclusive: cointegrated in one direction only",
    "not_cointegrated": "Not cointegrated",
    "not_enough_data": "Not enough data",
}
NUMBERS = {
    "line": measures.HEDGE_RATIO.label,
    "interval": "Interval",
    "hac_interval": "Interval, HAC",
    "r_squared": "R²",
    "half_life": "Half-life",
    **{name: measure.label for name, measure in measures.ROLLING.items()},
}
OF_ALL = ("line", "interval", "hac_interval", "r_squared", "half_life")
OF_NEWEST = tuple(measures.ROLLING)


def answered(
    prefix: str, question: AnalysisQuery, found: Analysis, seconds: float, thresholds: Thresholds
) -> Props:
    """Return what a panel shows of an answer that took `seconds`."""
    chart = f"chart-{prefix}"
    key = f"{found.pair}|{found.last_us}|{seconds}"
    is_drawn = drawing.has_points(found)
    return {
        f"{prefix}-status": {"children": "", "className": "panel-status"},
        f"{prefix}-coverage": {"children": coverage(found, seconds, question.zone)},
        f"{prefix}-verdict": {
            "children": verdict(found),
            "className": f"verdict is-{found.verdict.conclusion}",
        },
        f"{prefix}-missing": {"children": missing(found)},
        f"{prefix}-rows": {"rowData": tables.rows(found, question.zone)},
        f"{prefix}-of-all": {"children": f"Line through all {found.bars} bars"},
        f"{prefix}-of-newest": {"children": f"Newest bar, by the {found.window} before it"},
        **{f"{prefix}-number-{name}": {"children": text} for name, text in numbers(found).items()},
        **(drawing.chart(chart, found, thresholds, key) if is_drawn else drawing.nothing(chart)),
        **updates.empty(f"{prefix}-empty", "" if is_drawn else f"Not enough data: {_why_empty(found)}"),
        f"{prefix}-csv": {"href": _link(question, found, "csv"), "className": "download"},
        f"{prefix}-json": {"href": _link(question, found, "json", series="false"), "className": "download"},
    }


def refused(prefix: str, text: str) -> Props:
    """Return what a panel shows without an answer: why, and no old numbers."""
    chart = f"chart-{prefix}"
    away = "download is-nothing"
    return {
        f"{prefix}-status": {"children": text, "className": "panel-status is-error"},
        f"{prefix}-coverage": {"children": ""},
        f"{prefix}-verdict": {"children": "", "className": "verdict"},
        f"{prefix}-missing": {"children": ""},
        f"{prefix}-rows": {"rowData": []},
        **{f"{prefix}-number-{name}": {"children": NONE} for name in NUMBERS},
        **drawing.nothing(chart),
        **updates.empty(f"{prefix}-empty", "No answer"),
        f"{prefix}-csv": {"href": "", "className": away},
        f"{prefix}-json": {"href": "", "className": away},
    }


def coverage(found: Analysis, seconds: float, zone: str) -> str:
    """Return over which bars the answer is, and how long it took."""
    took = f"Answered in {seconds:.2f} s."
    if found.first_us is None or found.last_us is None:
        return f"No bar of {found.bar_s:g} s that both legs have.{carried(found)} {took}"
    span = f"{moment(found.first_us, zone)} to {moment(found.last_us, zone)}"
    dropped = found.bars_y + found.bars_x - 2 * found.bars
    asides = [f"{dropped} dropped, because the other leg has none"] if dropped else []
    asides += [f"{found.breaks} followed by a gap"] if found.breaks else []
    asides += [f"the chart shows one in {found.data_every}"] if found.data_every > 1 else []
    aside = f" ({', '.join(asides)})" if asides else ""
    cut = f" {found.cut[0].upper()}{found.cut[1:]}." if found.cut else ""
    return f"{found.bars} bars of {found.bar_s:g} s, {span}{aside}.{cut}{carried(found)} {took}"


def carried(found: Analysis) -> str:
    """Return in how many bars a leg did not trade, empty if it did in each."""
    legs = (
        (found.y, found.carried_y, found.carried_share_y),
        (found.x, found.carried_x, found.carried_share_x),
    )
    left = (
        ""
        if found.dataset is None
        else ", which are kept"
        if found.carried == "keep"
        else ", which are left out"
    )
    said = [
        f" {name} did not trade in {number(count, 0)} bars ({share(part)}){left}."
        for name, count, part in legs
        if count
    ]
    return "".join(said)


def verdict(found: Analysis) -> list[Component]:
    """Return the verdict: in a word, in a sentence, and what to keep in mind."""
    said = found.verdict
    notes = [html.Ul([html.Li(note) for note in said.notes])] if said.notes else []
    return [html.B(HEADLINES.get(said.conclusion, said.conclusion)), html.P(said.text), *notes]


def missing(found: Analysis) -> str:
    """Return what could not be computed, and why."""
    parts = {
        tables.named(part, found): why for part, why in found.not_enough_data.items() if part in tables.PARTS
    }
    if len(set(parts.values())) == 1 and len(parts) > 1:
        return f"Not computed: {', '.join(parts)}; {next(iter(parts.values()))}."
    return " ".join(f"{name}: {why}." for name, why in parts.items())


def numbers(found: Analysis) -> dict[str, str]:
    """Return the numbers by name, as text."""
    shown = dict.fromkeys(NUMBERS, NONE)
    if line := found.regression:
        shown["line"] = measures.HEDGE_RATIO.text(line.hedge_ratio)
        shown["interval"] = _interval(line.low, line.high, line.level) or f"none for {found.method}"
        shown["hac_interval"] = (
            _interval(line.hac_low, line.hac_high, line.level) or f"none for {found.method}"
        )
        if line.r_squared is not None:
            shown["r_squared"] = number(line.r_squared, 4)
    if life := found.half_life:
        shown["half_life"] = _half_life(life)
    if found.data:
        newest = found.data[-1]
        shown |= {name: measure.text(getattr(newest, name)) for name, measure in measures.ROLLING.items()}
    return shown


def three(value: float) -> str:
    """Return three significant digits of `value`."""
    return number(value, significant_decimals(value, 3))


def _interval(low: float | None, high: float | None, level: float) -> str | None:
    if low is None or high is None:
        return None
    decimals = significant_decimals(max(abs(low), abs(high)), 5)
    return f"{number(low, decimals)} to {number(high, decimals)} ({100 * level:g} %)"


def _half_life(life: HalfLife) -> str:
    """Return the corrected half-life with its interval: what least squares says alone is too short."""
    if life.samples is None or life.seconds is None:
        return "none"
    ends = "no end" if life.high is None else f"{three(life.high)} bars"
    start = "" if life.low is None else f"{three(life.low)} to "
    middle = "as likely none"
    if life.corrected is not None:
        seconds = life.corrected * life.seconds / life.samples
        middle = f"{three(life.corrected)} bars, {three(seconds)} s"
    return f"{middle}; 95 %: {start}{ends}"


def _why_empty(found: Analysis) -> str:
    return found.not_enough_data.get("rolling", found.verdict.text)


def _link(question: AnalysisQuery, found: Analysis, form: str, **more: str) -> str:
    """Return where exactly these bars are analysed again, however many have come since, of both legs or of one."""
    asked = question.params
    if found.first_us is not None and found.last_us is not None:
        others = {name: value for name, value in asked.items() if name != "limit"}
        asked = {**others, "start": found.first_us, "end": found.last_us + 1}
    return downloads.link(question.path, **{**asked, **more, "format": form})
