"""Candle series of a chart, with volume and VWAP, from bars."""

from collections.abc import Sequence
from typing import Any

from services.common.clock import SECOND
from services.ui.api.types import Bar
from services.ui.charts import palette
from services.ui.charts.lightweight import (
    LINEAR,
    LOGARITHMIC,
    Series,
    Updates,
    line_options,
    price_format,
)
from services.ui.widgets.formatting import decimals_of

# A line ends before a silence that is longer.
SILENT_US = 10 * SECOND


def candle_series(
    key: str,
    bars: Sequence[Bar],
    decimals: int,
    width_us: int,
    *,
    is_log: bool = False,
    lines: Sequence[dict[str, Any]] = (),
) -> list[Series]:
    """Return candles with their volume below them and the VWAP of each bar; one that is not whole is hollow.

    Bars are `width_us` wide, prices have `decimals`, or as many as the bars show that there are; `lines` are at one
    price each.
    """
    mode = LOGARITHMIC if is_log else LINEAR
    decimals = max(decimals, *(decimals_of(bar.close) for bar in bars), 0)
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
                "borderUpColor": palette.UP,
                "borderDownColor": palette.DOWN,
                "priceFormat": price_format(decimals),
            },
            "priceLines": list(lines),
            "priceScaleOptions": {"scaleMargins": {"top": 0.12, "bottom": 0.24}, "mode": mode},
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
        {
            "id": f"vwap|{key}",
            "type": "line",
            "data": _vwaps(bars, width_us),
            "options": {
                **line_options(palette.VWAP),
                "lastValueVisible": False,
                "priceFormat": price_format(decimals),
            },
        },
    ]


def candle_updates(key: str, bars: Sequence[Bar], width_us: int) -> Updates:
    """Return the updates that bring `bars`, oldest first, into an existing candle chart."""
    return [
        update
        for bar, vwap in zip(bars, _vwaps(bars, width_us), strict=True)
        for update in (
            {"id": f"candles|{key}", "bar": _candle(bar)},
            {"id": f"volume|{key}", "bar": _volume(bar)},
            {"id": f"vwap|{key}", "bar": vwap},
        )
    ]


def is_whole(bar: Bar) -> bool:
    """Return whether the time of a bar has passed and nothing of it is missing."""
    return bar.closed and bar.coverage == 1


def _candle(bar: Bar) -> dict[str, Any]:
    return {
        "time": bar.start_us // SECOND,
        "open": bar.open,
        "high": bar.high,
        "low": bar.low,
        "close": bar.close,
        **({} if is_whole(bar) else {"color": _color(bar) + palette.OPEN_ALPHA}),
    }


def _vwaps(bars: Sequence[Bar], width_us: int) -> list[dict[str, Any]]:
    points: list[dict[str, Any]] = []
    for bar, following in zip(bars, [*bars[1:], None], strict=True):
        point: dict[str, Any] = {"time": bar.start_us // SECOND}
        if bar.vwap is not None:
            point["value"] = bar.vwap
            # A point's colour is that of the line from it to the next.
            if following is not None and following.start_us - bar.start_us > width_us + SILENT_US:
                point["color"] = palette.NOTHING
        points.append(point)
    return points


def _volume(bar: Bar) -> dict[str, Any]:
    return {
        "time": bar.start_us // SECOND,
        "value": bar.volume or 0.0,
        "color": _color(bar) + palette.VOLUME_ALPHA,
    }


def _color(bar: Bar) -> str:
    return palette.UP if bar.close >= bar.open else palette.DOWN
