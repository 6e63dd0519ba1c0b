"""Every chart of the page; the one module that knows Lightweight Charts (through dash-tvlwc).

Series ids carry what they show (``candles|BTCUSDT|1m``), so a late update of the previous selection names a
series that is no longer there and changes nothing.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from dash.development.base_component import Component
from dash_tvlwc import Tvlwc

from services.common.clock import SECOND
from services.common.messages import Alert, Signal
from services.ui import palette
from services.ui.answers import Bar, WatchedPair
from services.ui.formatting import significant_decimals

PANES = (0, 1, 2)
PANE_PRICES, PANE_SPREAD, PANE_ZSCORE = PANES
PANE_SHARES = (0.4, 0.25, 0.35)
LINES = ("y", "x", "spread", "zscore")
RANGE_EVERY = 20
REPORT_MS = 100
MARKS = {"pointMarkersVisible": True, "pointMarkersRadius": 4}

INDEXED_TO_100 = 3
SOLID, DOTTED, DASHED = 0, 1, 2

Options = dict[str, Any]
Series = dict[str, Any]
Updates = list[dict[str, Any]]


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
        "rightPriceScale": {"borderColor": line, "minimumWidth": 72},
        "timeScale": {"borderColor": line},
    }


THEMES: dict[str, dict[str, Any]] = {
    "dark": _theme("#10151b", "#98a4b1", "#1b232c", "#5b6875", "#2b3743"),
    "light": _theme("#ffffff", "#56626e", "#e8ecf0", "#8a97a4", "#41505e"),
}
"""What of a chart's options depends on the theme."""


BAR_SPACING = {"chart-candles": 7, "chart-pair": 1.1}
"""Pixels from point to point at the default zoom, by chart."""


def options(chart_id: str, theme: str) -> dict[str, Any]:
    """Return all options of a chart in a theme."""
    colors = THEMES[theme]
    return {
        **colors,
        "timeScale": {
            **colors["timeScale"],
            "timeVisible": True,
            "secondsVisible": True,
            "barSpacing": BAR_SPACING[chart_id],
            "minBarSpacing": 0.05,
            "rightOffset": 4,
        },
        # A finger that moves up or down scrolls the page, not the chart.
        "handleScroll": {"vertTouchDrag": False},
        "localization": {"locale": "en-GB", "dateFormat": "yyyy-MM-dd"},
    }


def empty_chart(chart_id: str) -> Component:
    """Return a chart without data that fills its parent; it reports its visible range and cursor to the page."""
    # Panes exist only while a series is on them.
    panes = PANES if chart_id == "chart-pair" else ()
    empty: Component = Tvlwc(
        id=chart_id,
        chartOptions=options(chart_id, "dark"),
        series=[{"id": f"none{pane}", "type": "line", "data": [], "pane": pane} for pane in panes],
        paneOptions=[{"stretchFactor": PANE_SHARES[pane]} for pane in panes],
        subscribeVisibleRange=True,
        subscribeCrosshair=chart_id == "chart-candles",
        reportThrottle=REPORT_MS,
        width="100%",
        height="100%",
    )
    return empty


def newest_in_view() -> dict[str, Any]:
    """Return the command that puts the newest points at the right edge at the default zoom."""
    return {"action": "resetTimeScale"}


def candle_series(key: str, bars: Sequence[Bar], decimals: int) -> list[Series]:
    """Return candles with their volume below them."""
    return [
        {
            "id": f"candles|{key}",
            "type": "candlestick",
            "data": [_candle(bar) for bar in bars],
            "options": {
                "upColor": palette.UP,
                "downColor": palette.DOWN,
                "wickUpColor": palette.UP,
                "wickDownColor": palette.DOWN,
                "borderVisible": False,
                "priceFormat": _price_format(decimals),
            },
            "priceScaleOptions": {"scaleMargins": {"top": 0.12, "bottom": 0.24}},
        },
        {
            "id": f"volume|{key}",
            "type": "histogram",
            "data": [_volume(bar) for bar in bars],
            "options": {
                "priceScaleId": "volume",
                "priceFormat": {"type": "volume"},
                "lastValueVisible": False,
                "priceLineVisible": False,
            },
            "priceScaleOptions": {"scaleMargins": {"top": 0.82, "bottom": 0}},
        },
    ]


def candle_updates(key: str, bars: Iterable[Bar]) -> Updates:
    """Return the updates that bring `bars` into an existing candle chart."""
    return [
        update
        for bar in bars
        for update in (
            {"id": f"candles|{key}", "bar": _candle(bar)},
            {"id": f"volume|{key}", "bar": _volume(bar)},
        )
    ]


def pair_series(
    pair: WatchedPair, signals: Sequence[Signal], alerts: Iterable[Alert], decimals: int
) -> list[Series]:
    """Return both legs indexed to 100, the spread and the z-score with its bands and alerts, in three panes."""
    key, entry = pair.pair, {"priceLines": _bands(pair)}
    spreads = [abs(signal.spread) for signal in signals if signal.spread is not None]
    spread_format = _price_format(max(decimals, significant_decimals(max(spreads, default=1.0))))
    distinct = list(_distinct(signals))

    def line(name: str, pane: int, color: str, top: float, scale: Options, **more: Any) -> Series:
        return {
            "id": f"{name}|{key}",
            "type": "line",
            "pane": pane,
            "data": _points(name, distinct, pair),
            "options": {**_line_options(color), **more},
            "priceScaleOptions": {"scaleMargins": {"top": top, "bottom": 0.07}, **scale},
        }

    # Price lines do not widen the scale: the unseen range keeps both entry bands in sight.
    reach = [_range_point(signal, pair) for signal in distinct if _is_range_time(signal)]
    return [
        line("y", PANE_PRICES, palette.LEG_Y, 0.16, {"mode": INDEXED_TO_100}),
        line("x", PANE_PRICES, palette.LEG_X, 0.16, {"mode": INDEXED_TO_100}),
        line("spread", PANE_SPREAD, palette.SPREAD, 0.24, {}, priceFormat=spread_format),
        {**line("zscore", PANE_ZSCORE, palette.ZSCORE, 0.18, {}, priceFormat=_price_format(2)), **entry},
        _unseen(f"range|{key}", reach),
        _unseen(f"alerts|{key}", _alert_points(key, alerts, signals), **MARKS),
    ]


def pair_updates(pair: WatchedPair, signals: Sequence[Signal], alerts: Iterable[Alert]) -> Updates:
    """Return the updates that bring `signals` and `alerts`, oldest first, into an existing pair chart."""
    key = pair.pair
    lines = [(name, point) for name in LINES for point in _points(name, signals, pair)]
    lines += [("range", _range_point(signal, pair)) for signal in signals if _is_range_time(signal)]
    lines += [("alerts", _alert_point(alert)) for alert in alerts if alert.pair == key]
    return [{"id": f"{name}|{key}", "bar": point} for name, point in lines]


def _unseen(series_id: str, data: list[dict[str, Any]], **more: Any) -> Series:
    unseen = {"lineVisible": False, "lastValueVisible": False, "crosshairMarkerVisible": False}
    line = {**_line_options(palette.FIRING), **unseen, **more}
    return {"id": series_id, "type": "line", "pane": PANE_ZSCORE, "data": data, "options": line}


def _line_options(color: str) -> dict[str, Any]:
    base = {"baseLineColor": palette.SPREAD, "baseLineStyle": DOTTED}
    return {"color": color, "lineWidth": 1, "priceLineVisible": False, "crosshairMarkerRadius": 3, **base}


def _price_format(decimals: int) -> dict[str, Any]:
    return {"type": "price", "precision": decimals, "minMove": 10**-decimals}


def _candle(bar: Bar) -> dict[str, Any]:
    return {
        "time": bar.start_us // SECOND,
        "open": bar.open,
        "high": bar.high,
        "low": bar.low,
        "close": bar.close,
    }


def _volume(bar: Bar) -> dict[str, Any]:
    color = (palette.UP if bar.close >= bar.open else palette.DOWN) + palette.VOLUME_ALPHA
    return {"time": bar.start_us // SECOND, "value": bar.volume, "color": color}


def _points(name: str, signals: Sequence[Signal], pair: WatchedPair) -> list[dict[str, Any]]:
    points: list[dict[str, Any]] = []
    for signal, following in zip(signals, [*signals[1:], None], strict=False):
        value = _value(name, signal)
        point: dict[str, Any] = {"time": signal.event_us // SECOND}
        if value is not None:
            point["value"] = value
            # A point's colour is that of the line from it to the next: nothing is drawn across what is not known.
            if following is not None and _breaks(name, signal, following, pair):
                point["color"] = palette.NOTHING
            elif name == "zscore" and abs(value) >= pair.entry_z:
                point["color"] = palette.BEYOND
        points.append(point)
    return points


def _breaks(name: str, signal: Signal, following: Signal, pair: WatchedPair) -> bool:
    silent_s = (following.event_us - signal.event_us) / SECOND
    return _value(name, following) is None or silent_s > pair.stale_after_s


def _value(name: str, signal: Signal) -> float | None:
    if name == "spread":
        return signal.spread
    if name == "zscore":
        return signal.zscore
    return signal.y_price if name == "y" else signal.x_price


def _distinct(signals: Iterable[Signal]) -> Iterable[Signal]:
    """Yield signals whose second is later than the one before; the library refuses anything else."""
    last = -1
    for signal in signals:
        if signal.event_us // SECOND > last:
            last = signal.event_us // SECOND
            yield signal


def _is_range_time(signal: Signal) -> bool:
    return signal.event_us // SECOND % RANGE_EVERY < 2


def _range_point(signal: Signal, pair: WatchedPair) -> dict[str, Any]:
    time = signal.event_us // SECOND
    return {"time": time, "value": pair.entry_z * 1.15 * (1 if time % 2 else -1)}


def _alert_points(key: str, alerts: Iterable[Alert], signals: Sequence[Signal]) -> list[dict[str, Any]]:
    if not signals:
        return []
    first = signals[0].event_us
    points = {alert.event_us // SECOND: _alert_point(alert) for alert in alerts if alert.pair == key}
    return [points[time] for time in sorted(points) if time >= first // SECOND]


def _alert_point(alert: Alert) -> dict[str, Any]:
    color = palette.FIRING if alert.state == "firing" else palette.RESOLVED
    return {"time": alert.event_us // SECOND, "value": alert.value, "color": color}


def _bands(pair: WatchedPair) -> list[dict[str, Any]]:
    entry = {
        "color": palette.BEYOND,
        "lineWidth": 1,
        "lineStyle": DASHED,
        "axisLabelColor": palette.BAND_LABEL,
    }
    middle = {"color": palette.SPREAD, "lineWidth": 1, "axisLabelVisible": False}
    exits = [{**middle, "price": price, "lineStyle": DOTTED} for price in (pair.exit_z, -pair.exit_z)]
    return [
        {**entry, "price": pair.entry_z},
        {**middle, "price": 0, "lineStyle": SOLID},
        *exits,
        {**entry, "price": -pair.entry_z},
    ]
