"""Preview of a rule on a chart: what it compares, its levels, and the begin and end of each firing of its trial."""

from bisect import bisect_left
from collections.abc import Mapping
from typing import Any

import msgspec
from dash import html
from dash.development.base_component import Component

from services.common.clock import SECOND
from services.contracts.conditions import Condition
from services.ui.api.types import PairTrial, RuleTrial, TriedIncident
from services.ui.charts import lightweight, palette, updates
from services.ui.charts.lightweight import DASHED, DOTTED, Marker, Series, line_options, price_format
from services.ui.pages.rules import sliders
from services.ui.state.page_context import Props, attributes
from services.ui.widgets.components import cover
from services.ui.widgets.formatting import period, plain, significant_decimals

CHART = "chart-rule"
_BAR_SPACING = 0.15
_APART_US = 1.5 * SECOND
_MARKED = 200


def layout() -> Component:
    """Return the chart, empty; whoever does not see it has the sentence and the list beside it."""
    chart = html.Div(
        lightweight.chart(CHART, _BAR_SPACING),
        className="rule-chart",
        role="group",
        **attributes("aria", label="Chart of the trial", describedby="rule-tried"),
    )
    whole: Component = html.Div(
        [html.Div([chart, cover("rule-chart-empty")], className="rule-preview"), _caption()]
    )
    return whole


def shown(rule: Mapping[str, Any], found: RuleTrial, span: tuple[int, int], zone: str, drawn: str) -> Props:
    """Return what is shown of a trial over a span of time; `drawn` is the id of the line that is on the chart."""
    when = f"{period(*span, zone)} {zone}"
    tried = next((one for one in found.pairs if one.series is not None), None)
    if tried is None:
        return nothing(f"Nothing is stored from {when}.")
    condition = msgspec.convert(rule["conditions"][0], Condition)
    series = _series(tried, condition)
    line = series[0]
    count = len(line["data"])
    levels = condition.levels[:2]
    props: Props = {
        CHART: {"series": series},
        "rule-caption": {"children": f"{_measured(condition)} of {tried.pair}, {when}"},
        "rule-bounds": {"data": _bounds(tried, condition, levels)},
        **updates.empty("rule-chart-empty", ""),
    }
    if line["id"] != drawn:  # whoever has zoomed in sees the same while the levels move
        props[CHART]["visibleLogicalRange"] = lightweight.newest_points(count, count, line["id"])
    return props


def nothing(why: str) -> Props:
    """Return what is shown in place of a chart."""
    return {
        CHART: {"series": []},
        "rule-caption": {"children": ""},
        "rule-bounds": {"data": None},
        **updates.empty("rule-chart-empty", why),
    }


def _caption() -> Component:
    caption: Component = html.Div(id="rule-caption", className="fine num")
    return caption


def _measured(condition: Condition) -> str:
    return f"change of {condition.metric}" if condition.operator == "changes_by" else condition.metric


def _bounds(tried: PairTrial, condition: Condition, levels: tuple[float, ...]) -> dict[str, Any] | None:
    assert tried.series is not None
    found = sliders.bounds(condition.operator, tried.series.value, levels)
    return found and {**found, "key": f"{_measured(condition)}|{condition.operator}|{tried.pair}"}


def _series(tried: PairTrial, condition: Condition) -> list[Series]:
    points = _points(tried)
    times = [point["time"] for point in points]
    name = f"{_measured(condition)}|{tried.pair}"
    known = [abs(point["value"]) for point in points if "value" in point]
    decimals = significant_decimals(max(known, default=1.0))
    line = {
        "id": f"trial|{name}",
        "type": "line",
        "data": points,
        "markers": _markers(tried),
        "options": {**line_options(palette.ZSCORE), "priceFormat": price_format(decimals)},
        "priceScaleOptions": {"scaleMargins": {"top": 0.1, "bottom": 0.06}},
    }
    firing = lightweight.shade(f"firing|{name}", [lightweight.shaded(one) for one in _within(tried, times)])
    firing["options"]["color"] = palette.FIRING + palette.FIRING_ALPHA
    return [line, *_levels(condition, times[0], times[-1], decimals), firing]


def _points(tried: PairTrial) -> list[dict[str, Any]]:
    assert tried.series is not None
    seen = list(zip(tried.series.event_us, tried.series.value, strict=True))
    points: dict[int, dict[str, Any]] = {}
    for (event_us, value), following in zip(seen, [*seen[1:], (None, None)], strict=True):
        point: dict[str, Any] = {"time": event_us // SECOND}
        if value is not None:
            point["value"] = value
            # A point's colour is that of the line from it to the next: nothing is drawn across what is not known.
            if following[0] is not None and (following[1] is None or following[0] - event_us > _APART_US):
                point["color"] = palette.NOTHING
        points[point["time"]] = point
    return list(points.values())


def _levels(condition: Condition, first: int, last: int, decimals: int) -> list[Series]:
    """Return a line for each level: a line of its own, unlike a price line, is always in sight."""
    fire, clear, fire_low, clear_low = condition.levels
    both = condition.operator in ("outside", "inside", "changes_by")
    if condition.operator == "changes_by":
        fire_low, clear_low = -fire, -clear
    wanted = [("fire", fire), ("clear", clear), *([("fire", fire_low), ("clear", clear_low)] if both else [])]
    fires = {level for name, level in wanted if name == "fire"}
    made = []
    for place, (name, level) in enumerate(wanted):
        if name == "clear" and level in fires:
            continue
        options = {
            **line_options(palette.BEYOND if name == "fire" else palette.SPREAD),
            "lineStyle": DASHED if name == "fire" else DOTTED,
            "crosshairMarkerVisible": False,
            "priceFormat": price_format(decimals),
            "title": name,
        }
        points = [{"time": time, "value": level} for time in sorted({first, last})]
        made.append({"id": f"{name}{place}", "type": "line", "data": points, "options": options})
    return made


def _markers(tried: PairTrial) -> list[Marker]:
    made: list[Marker] = []
    for one in _in_order(tried)[-_MARKED:]:
        at = "" if one.value is None else f" at {plain(one.value)}"
        second = one.start_us // SECOND
        made.append(
            lightweight.marker(second, "arrowDown", palette.FIRING, f"Fires{at}", above=True, text="")
        )
        if one.end_us is not None:
            second = one.end_us // SECOND
            made.append(lightweight.marker(second, "circle", palette.RESOLVED, "Ends", above=False, text=""))
    return made


def _within(tried: PairTrial, times: list[int]) -> list[int]:
    """Return the seconds in which it would have been firing."""
    found: list[int] = []
    for one in _in_order(tried):
        end = len(times) if one.end_us is None else bisect_left(times, one.end_us // SECOND)
        found += times[bisect_left(times, one.start_us // SECOND) : end]
    return found


def _in_order(tried: PairTrial) -> list[TriedIncident]:
    # A chart refuses points that go back in time.
    return sorted(tried.incidents, key=lambda one: one.start_us)
