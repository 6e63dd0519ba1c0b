"""Bring a chart from what a tab has been sent to what is known now: the whole series once, then only updates."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from services.common.messages import Signal
from services.ui import charts
from services.ui.answers import Bar, WatchedPair
from services.ui.charts import Series, Updates
from services.ui.formatting import number, quantity
from services.ui.market import Market
from services.ui.tracks import Track, point_us
from services.ui.view import Props, Selection

# A page left open all day must not grow without end: past this many times its track a chart starts again.
GROWTH = 3

P = TypeVar("P", Bar, Signal)


class Cursor(Struct, frozen=True):
    """How far a tab's chart has been brought: ``count`` points, the newest at ``last_us``."""

    key: str
    generation: int
    last_us: int
    count: int
    alerts_us: int = 0


class Step(Struct, frozen=True):
    """What to send to a chart, and where it then stands; ``dropped`` points left at its left end."""

    props: Props
    cursor: Cursor | None
    dropped: int = 0


def candles(
    track: Track[Bar], cursor: Cursor | None, selection: Selection, symbol: str, market: Market
) -> Step:
    """Return the next step of the candle chart."""
    key = f"{symbol}|{selection.interval}"
    decimals = market.decimals.get(symbol, 2)
    step = _step(
        "chart-candles",
        track,
        cursor,
        key,
        lambda bars: charts.candle_series(key, bars, decimals),
        lambda bars: charts.candle_updates(key, bars),
    )
    why = "" if track.points else _why_empty(track, f"No {selection.interval} bars of {symbol} yet")
    legend = {"legend-bar": {"children": _legend(track.points[-1], decimals) if track.points else ""}}
    return Step({**step.props, **_empty("candles-empty", why), **legend}, step.cursor, step.dropped)


def pair_panes(track: Track[Signal], cursor: Cursor | None, pair: WatchedPair, market: Market) -> Step:
    """Return the next step of the chart with the legs, the spread and the z-score."""
    alerts = [alert for alert in reversed(market.alerts) if alert.pair == pair.pair]
    marked_us = cursor.alerts_us if cursor and cursor.key == pair.pair else 0
    step = _step(
        "chart-pair",
        track,
        cursor,
        pair.pair,
        lambda signals: charts.pair_series(pair, signals, alerts, market.decimals.get(pair.y, 2)),
        lambda signals: charts.pair_updates(
            pair, signals, [alert for alert in alerts if alert.event_us > marked_us]
        ),
    )
    newest_us = max((alert.event_us for alert in alerts), default=marked_us)
    moved = msgspec.structs.replace(step.cursor, alerts_us=newest_us) if step.cursor else None
    why = "" if track.points else _why_empty(track, f"No signal of {pair.pair} yet")
    last = track.points[-1] if track.points else None
    thin = ""
    if last is not None and last.quality == "not_enough_data":
        thin = f"Not enough data: {last.reason or f'{last.samples} of {last.window} samples'}"
    return Step(
        {**step.props, **_empty("pair-empty", why), **_empty("zscore-empty", thin)}, moved, step.dropped
    )


def _step(
    chart_id: str,
    track: Track[P],
    cursor: Cursor | None,
    key: str,
    whole: Callable[[Sequence[P]], list[Series]],
    updates: Callable[[Sequence[P]], Updates],
) -> Step:
    if not track.points:
        return Step({}, cursor if cursor and cursor.key == key else None)
    first_us, last_us = point_us(track.points[0]), point_us(track.points[-1])
    stands = Cursor(key, track.generation, last_us, len(track.points))
    continues = cursor is not None and (cursor.key, cursor.generation) == (key, track.generation)
    if cursor is None or not continues or not first_us <= cursor.last_us <= last_us:
        action = {**charts.newest_in_view(), "nonce": f"{key}|{track.generation}|{last_us}"}
        return Step({chart_id: {"series": whole(track.points), "timeScaleAction": action}}, stands)
    fresh = track.since(cursor.last_us)
    count = cursor.count + len(fresh) - 1
    if count > GROWTH * track.kept:
        return Step({chart_id: {"series": whole(track.points)}}, stands, dropped=count - stands.count)
    return Step({chart_id: {"tick": updates(fresh)}}, msgspec.structs.replace(stands, count=count))


def _legend(bar: Bar, decimals: int) -> str:
    prices = (("O", bar.open), ("H", bar.high), ("L", bar.low), ("C", bar.close))
    return "  ".join(
        [*(f"{name} {number(price, decimals)}" for name, price in prices), f"V {quantity(bar.volume)}"]
    )


def _why_empty(track: Track[Any], otherwise: str) -> str:
    if track.error is not None:
        return f"No answer from the API. {track.error}"
    return otherwise if track.loaded else "Loading…"


def _empty(element: str, text: str) -> Props:
    return {element: {"children": text, "className": "pane-empty" + (" is-shown" if text else "")}}
