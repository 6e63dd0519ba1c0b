"""Figures of a calibration, by Plotly.

The page's style sheet gives text and lines the colours of the theme; what is drawn has one colour for both.
"""

from typing import Any

from dash import dcc
from dash.development.base_component import Component

from services.ui.api.types import Bin, Calibration, HitRate, Lag, Level, Quantile, Wait
from services.ui.charts import palette

Figure = dict[str, Any]

LEAST_REACH = 4.0
CLEAR = "rgba(0,0,0,0)"
NORMAL: dict[str, Any] = {"color": palette.BEYOND, "width": 1.5}
BOUND = {**NORMAL, "dash": "dash"}
OWN = palette.ZSCORE
OUTCOMES = {
    "hits": ("hit", palette.UP),
    "stopped": ("stopped", palette.DOWN),
    "expired": ("expired", palette.BEYOND),
    "unresolved": ("unresolved", palette.SPREAD),
}


def graph(figure: Figure) -> Component:
    """Return a figure that fills its parent and can be read with the cursor, not moved."""
    drawn: Component = dcc.Graph(
        figure=figure, config={"displayModeBar": False}, responsive=True, className="figure-graph"
    )
    return drawn


def figures(found: Calibration) -> dict[str, Figure]:
    """Return what can be drawn, by the name of its table."""
    drawn: dict[str, Figure] = {}
    if found.histogram:
        drawn["histogram"] = _histogram(found.histogram)
    if found.qq:
        drawn["qq"] = _quantiles(found.qq)
    if found.acf:
        drawn["acf"] = _autocorrelations(found.acf)
    if found.beyond:
        drawn["beyond"] = _beyond(found.beyond, found.entry_z)
    if found.waits:
        drawn["waits"] = _waits(found.waits)
    if found.hit_rate:
        drawn["entries"] = _outcomes(found.hit_rate)
    return drawn


def _histogram(bins: tuple[Bin, ...]) -> Figure:
    inner = [(one.low, one.high, one) for one in bins if one.low is not None and one.high is not None]
    middles = [(low + high) / 2 for low, high, _ in inner]
    known = [abs(middle) for middle, (_, _, one) in zip(middles, inner, strict=True) if one.count]
    reach = max(LEAST_REACH, max(known, default=0.0) + 0.25)
    bars = {
        "type": "bar",
        "x": middles,
        "y": [one.density for _, _, one in inner],
        "customdata": [[low, high, one.count] for low, high, one in inner],
        "marker": {"color": OWN},
        "hovertemplate": "z %{customdata[0]} to %{customdata[1]}: %{customdata[2]} s<extra></extra>",
    }
    line = {
        "type": "scatter",
        "mode": "lines",
        "x": middles,
        "y": [one.normal for _, _, one in inner],
        "line": NORMAL,
        "hovertemplate": "normal: %{y:.3f}<extra></extra>",
    }
    return _figure([bars, line], _axis("z-score", range=[-reach, reach]), _axis("density"), bargap=0.06)


def _quantiles(points: tuple[Quantile, ...]) -> Figure:
    ends = [points[0].normal, points[-1].normal]
    line = {"type": "scatter", "mode": "lines", "x": ends, "y": ends, "line": NORMAL, "hoverinfo": "skip"}
    dots = {
        "type": "scatter",
        "mode": "markers",
        "x": [one.normal for one in points],
        "y": [one.zscore for one in points],
        "marker": {"color": OWN, "size": 4},
        "hovertemplate": "z %{y:.2f} where a normal has %{x:.2f}<extra></extra>",
    }
    return _figure([line, dots], _axis("standard normal"), _axis("z-score"))


def _autocorrelations(lags: tuple[Lag, ...]) -> Figure:
    after = lags[1:]
    bars = {
        "type": "bar",
        "x": [one.lag_s for one in after],
        "y": [one.acf for one in after],
        "marker": {"color": OWN},
        "hovertemplate": "%{x} s: %{y:.3f}<extra></extra>",
    }
    bounds = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": [after[0].lag_s, after[-1].lag_s],
            "y": [end, end],
            "line": BOUND,
            "hovertemplate": f"white noise: within ±{after[0].bound:.3g}<extra></extra>",
        }
        for end in (after[0].bound, -after[0].bound)
    ]
    return _figure([bars, *bounds], _axis("lag, s"), _axis("autocorrelation"), bargap=0.3)


def _beyond(levels: tuple[Level, ...], entry_z: float) -> Figure:
    at = [one.level for one in levels]
    own = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": at,
        # A logarithmic axis has no place for none.
        "y": [100 * one.share or None for one in levels],
        "line": {"color": OWN, "width": 1.5},
        "marker": {"color": OWN, "size": 5},
        "customdata": [[one.seconds] for one in levels],
        "hovertemplate": "|z| ≥ %{x}: %{y:.3g} % (%{customdata[0]} s)<extra></extra>",
    }
    normal = {
        "type": "scatter",
        "mode": "lines",
        "x": at,
        "y": [100 * one.normal for one in levels],
        "line": NORMAL,
        "hovertemplate": "normal ≥ %{x}: %{y:.3g} %<extra></extra>",
    }
    least = min(one.share for one in levels if one.share) / 2 if any(one.share for one in levels) else 1e-4
    low = max(1e-7, min(least, 1e-4))
    entry = {
        "type": "scatter",
        "mode": "lines",
        "x": [entry_z, entry_z],
        "y": [100 * low, 100],
        "line": {"color": palette.SPREAD, "width": 1, "dash": "dot"},
        "hovertemplate": f"entry ±{entry_z:g}<extra></extra>",
    }
    shares = _axis("% of seconds", type="log", dtick=1, tickformat=".3~g")
    return _figure([own, normal, entry], _axis("level of |z|"), shares)


def _waits(waits: tuple[Wait, ...]) -> Figure:
    steps = {
        "type": "scatter",
        "mode": "lines",
        "line": {"color": OWN, "width": 1.5, "shape": "hv"},
        "x": [0.0, *(one.seconds for one in waits)],
        "y": [0.0, *(100 * one.share for one in waits)],
        "hovertemplate": "%{y:.0f} % back within %{x} s<extra></extra>",
    }
    return _figure([steps], _axis("s from entry to exit"), _axis("% of entries", range=[0, 103]))


def _outcomes(rate: HitRate) -> Figure:
    counts = [getattr(rate, name) for name in OUTCOMES]
    bars = {
        "type": "bar",
        "orientation": "h",
        "y": [word for word, _ in OUTCOMES.values()],
        "x": counts,
        "marker": {"color": [color for _, color in OUTCOMES.values()]},
        "text": [str(count) for count in counts],
        "textposition": "outside",
        "cliponaxis": False,
        "hovertemplate": "%{y}: %{x}<extra></extra>",
    }
    most = max(counts) * 1.15
    return _figure(
        [bars],
        _axis("entries", range=[0, most], rangemode="tozero"),
        _axis("", autorange="reversed"),
        bargap=0.35,
    )


def _axis(title: str, **more: Any) -> dict[str, Any]:
    named = {"title": {"text": title, "standoff": 4, "font": {"size": 11}}} if title else {}
    return {"fixedrange": True, "zeroline": False, "automargin": True, "ticks": "", **named, **more}


def _figure(traces: list[dict[str, Any]], x: dict[str, Any], y: dict[str, Any], **layout: Any) -> Figure:
    return {
        "data": traces,
        "layout": {
            "xaxis": x,
            "yaxis": y,
            "margin": {"l": 8, "r": 10, "t": 6, "b": 8},
            "paper_bgcolor": CLEAR,
            "plot_bgcolor": CLEAR,
            "font": {"family": palette.FONT, "size": 11},
            "hoverlabel": {
                "bgcolor": palette.HOVER,
                "font": {"color": "#ffffff"},
                "bordercolor": palette.HOVER,
            },
            "hovermode": "closest",
            "dragmode": False,
            "showlegend": False,
            **layout,
        },
    }
