"""Lightweight Charts, shared by all live charts; the one module that knows them (through dash-tvlwc).

Series ids carry what they show (``candles|BTCUSDT|1m``), so a late update of the previous selection names a
series that is no longer there and changes nothing.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from dash import ClientsideFunction, Dash, Input, Output
from dash.development.base_component import Component
from dash_tvlwc import Tvlwc

from services.ui.charts import palette

REPORT_MS = 100
FEWEST_IN_VIEW = 60
SOLID, DOTTED, DASHED = 0, 1, 2
LINEAR, LOGARITHMIC = 0, 1

Options = dict[str, Any]
Series = dict[str, Any]
Updates = list[dict[str, Any]]
Marker = dict[str, Any]
Shape = Literal["arrowUp", "arrowDown", "circle", "square"]


def _theme(background: str, text: str, line: str, cross: str, label: str) -> dict[str, Any]:
    crosshair = {"color": cross, "labelBackgroundColor": label, "width": 1, "style": DASHED}
    return {
        "layout": {
            "background": {"type": "solid", "color": background},
            "textColor": text,
            "fontSize": 11,
            "fontFamily": palette.FONT,
            "attributionLogo": True,
            "panes": {"separatorColor": line, "separatorHoverColor": line, "enableResize": False},
        },
        "grid": {"vertLines": {"color": line}, "horzLines": {"color": line}},
        "crosshair": {"mode": 0, "vertLine": crosshair, "horzLine": crosshair},
        "rightPriceScale": {"borderColor": line, "minimumWidth": 72, "entireTextOnly": True},
        "timeScale": {"borderColor": line},
    }


THEMES: dict[str, dict[str, Any]] = {
    "dark": _theme("#10151b", "#98a4b1", "#1b232c", "#5b6875", "#2b3743"),
    "light": _theme("#ffffff", "#56626e", "#e8ecf0", "#8a97a4", "#41505e"),
}
"""Options of a chart that depend on the theme."""


def chart(
    chart_id: str,
    bar_spacing: float,
    panes: Sequence[float] = (),
    *,
    crosshair: bool = False,
    click: bool = False,
    double_click: bool = False,
) -> Component:
    """Return a chart without data that fills its parent and reports its visible range to the page.

    `bar_spacing` is in pixels from point to point at the default zoom, `panes` are the shares of several panes, and
    `crosshair` has the cursor reported, too, `click` a click and `double_click` two of them.
    """
    drawn: Component = Tvlwc(
        id=chart_id,
        chartOptions=_options(bar_spacing),
        series=nothing_in(len(panes)),
        paneOptions=pane_options(panes),
        subscribeVisibleRange=True,
        subscribeCrosshair=crosshair,
        subscribeClick=click,
        subscribeDblClick=double_click,
        reportThrottle=REPORT_MS,
        width="100%",
        height="100%",
    )
    return drawn


def nothing_in(panes: int) -> list[Series]:
    """Return series without points: a pane is there only while a series is on it."""
    return [{"id": f"none{pane}", "type": "line", "data": [], "pane": pane} for pane in range(panes)]


def paint(app: Dash, chart_id: str) -> None:
    """Make a chart follow the theme and the time zone."""
    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("pairstream", "paint_chart"),
        Output(chart_id, "chartOptions"),
        Input("theme", "data"),
        Input("system-theme", "data"),
        Input("zone-select", "value"),
        Input("chart-themes", "data"),
    )


def _options(bar_spacing: float) -> Options:
    return {
        "timeScale": {
            "timeVisible": True,
            "secondsVisible": True,
            "barSpacing": bar_spacing,
            "minBarSpacing": 0.05,
            "rightOffset": 4,
            "tickMarkFormatter": "pairstreamTick",
        },
        # A finger that moves up or down scrolls the page, not the chart.
        "handleScroll": {"vertTouchDrag": False},
        "localization": {"locale": "en-GB", "timeFormatter": "pairstreamMoment"},
    }


def marker(second: int, shape: Shape, color: str, name: str, *, above: bool, text: str) -> Marker:
    """Return the mark of a point of a series at `second`; its tooltip is `name`."""
    position = "aboveBar" if above else "belowBar"
    return {"time": second, "position": position, "shape": shape, "color": color, "id": name, "text": text}


def dot(second: int, color: str, name: str) -> Marker:
    """Return a small mark on a point of a line; its tooltip is `name`."""
    return {"time": second, "position": "inBar", "shape": "circle", "color": color, "id": name, "size": 0.3}


def shade(key: str, points: list[dict[str, Any]], markers: Sequence[Marker] = (), pane: int = 0) -> Series:
    """Return a series that shades a pane from top to bottom at `points`, which are ``shaded``.

    The page puts it on the chart and takes it away: a series costs on every update, though it has no points.
    """
    return {
        "id": f"shade|{key}",
        "type": "histogram",
        "pane": pane,
        "data": points,
        "markers": list(markers),
        "options": {
            "priceScaleId": "shade",
            "color": palette.GAP + palette.GAP_ALPHA,
            "lastValueVisible": False,
            "priceLineVisible": False,
        },
        "priceScaleOptions": {"scaleMargins": {"top": 0, "bottom": 0}},
    }


def shaded(second: int, text: str = "") -> dict[str, Any]:
    """Return a point of a shade; its tooltip is `text`."""
    point = {"time": second, "value": 1}
    return {**point, "customValues": {"text": text}} if text else point


def shade_marker(second: int, text: str, *, is_low: bool) -> Marker:
    """Return what marks a shade near its top, a little lower where two words would meet."""
    place = {"time": second, "position": "atPriceBottom", "price": 0.79 if is_low else 0.9}
    return {**place, "shape": "square", "size": 0.5, "color": palette.GAP, "text": text}


def pane_options(shares: Iterable[float]) -> list[Options]:
    """Return the sizes of panes in these proportions."""
    return [{"stretchFactor": share} for share in shares]


def newest_points(count: int, shown: int, key: str) -> Options:
    """Return the visible range that shows the newest of `count` points, `shown` of them if there are as many.

    With another `key` it is applied even if the chart has said the same range before.
    """
    in_view = min(shown, max(count, FEWEST_IN_VIEW))
    return {"from": count - in_view, "to": count + in_view / FEWEST_IN_VIEW, "nonce": key}


def band_options(low: float) -> Options:
    """Return the options of a ``baseline`` series that fills what lies between `low` and its points."""
    fill = palette.LEG_Y + palette.BAND_ALPHA
    clear = palette.NOTHING
    return {
        "baseValue": {"type": "price", "price": low},
        "topFillColor1": fill,
        "topFillColor2": fill,
        "topLineColor": palette.LEG_Y,
        "bottomFillColor1": clear,
        "bottomFillColor2": clear,
        "bottomLineColor": clear,
        "lineWidth": 1,
        "lineStyle": DOTTED,
        "priceLineVisible": False,
        "lastValueVisible": False,
        "crosshairMarkerVisible": False,
    }


def newest_in_view(count: int) -> dict[str, Any]:
    """Return the command that puts the newest of `count` points at the right edge at the default zoom; few fill it."""
    return {"action": "fitContent" if count < FEWEST_IN_VIEW else "resetTimeScale"}


def line_options(color: str) -> Options:
    """Return the options of a line without a line at its last price."""
    base = {"baseLineColor": palette.SPREAD, "baseLineStyle": DOTTED}
    return {"color": color, "lineWidth": 1, "priceLineVisible": False, "crosshairMarkerRadius": 3, **base}


def price_format(decimals: int) -> Options:
    """Return the format of a scale with `decimals`."""
    return {"type": "price", "precision": decimals, "minMove": 10**-decimals}
