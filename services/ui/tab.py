"""One browser tab: what it has been sent, and what is new for it."""

import json
from typing import Any, Literal

import msgspec
from dash.development.base_component import Component

from services.ui import panes
from services.ui.alert_table import toasts
from services.ui.frame import frame, page_title
from services.ui.market import Market, Now
from services.ui.panes import Cursor, Step
from services.ui.tracks import Tracks
from services.ui.view import Props, Selection

# What the page itself empties at once when another pair, leg or interval is chosen.
CLEARED_BY_PAGE = ("candles-empty", "pair-empty", "zscore-empty", "legend-bar")
# Sent when due, never because it differs: too large to keep, or an event rather than a state.
NOT_KEPT = ("series", "timeScaleAction", "sendNotifications")


class Mark(msgspec.Struct, frozen=True):
    """How far a tab has come; the page keeps it, so that a new stream goes on where the last one ended."""

    candles: Cursor | None = None
    pair: Cursor | None = None
    alerts_us: int | None = None
    title: str = "pairstream"
    second: int = 0
    via: str = "stream"


class Tab:
    """What one tab has been sent."""

    def __init__(self, mark: Any = None, via: Literal["stream", "poll"] = "stream") -> None:
        """`mark` is the page's ``mark`` store: what an earlier stream had reached, or None."""
        self._via = via
        try:
            self.mark = msgspec.convert(mark, Mark) if mark else Mark()
        except msgspec.ValidationError:
            self.mark = Mark()  # a page older than this process
        self.dropped: dict[str, int] = {}
        self._sent: dict[tuple[str, str], tuple[Any, Any]] = {}
        self._selection: Selection | None = None
        self._marked_s = -1
        self._alerts_seen: set[str] | None = None

    def step(self, market: Market, tracks: Tracks, selection: Selection, now: Now) -> Props:
        """Return what changed since the last step; ``dropped`` then holds what left each chart's left end."""
        if selection != self._selection:
            for element in CLEARED_BY_PAGE:
                for name in ("children", "className"):
                    self._sent.pop((element, name), None)
            self._selection = selection
        props = frame(market, selection, now)
        candles, measures = self._charts(market, tracks, selection)
        self.dropped = {
            chart: step.dropped
            for chart, step in (("chart-candles", candles), ("chart-pair", measures))
            if step.dropped
        }
        props |= candles.props | measures.props
        if shown := self._toasts(market):
            props["toasts"] = {"sendNotifications": shown}
        self.mark = Mark(
            candles=candles.cursor,
            pair=measures.cursor,
            alerts_us=max((alert.event_us for alert in market.alerts), default=self.mark.alerts_us or 0),
            title=page_title(market, selection),
            second=int(now.s),
            via=self._via,
        )
        if self._marked_s != self.mark.second:
            self._marked_s = self.mark.second
            props["mark"] = {"data": msgspec.to_builtins(self.mark)}
        return self._changed(props)

    def _charts(self, market: Market, tracks: Tracks, selection: Selection) -> tuple[Step, Step]:
        pair = (market.pairs or {}).get(selection.pair or "")
        if pair is None:
            waiting = "Waiting for the API" if market.pairs is None else "Choose a pair"
            shown = {"children": waiting, "className": "pane-empty is-shown"}
            return Step({"candles-empty": shown}, None), Step({"pair-empty": shown}, None)
        symbol = pair.y if selection.leg == "y" else pair.x
        bars = tracks.bars(symbol, selection.interval)
        signals = tracks.signals(pair.pair, market.closes.get(pair.pair, ()) if market.connected else ())
        return (
            panes.candles(bars, self.mark.candles, selection, symbol, market),
            panes.pair_panes(signals, self.mark.pair, pair, market),
        )

    def _toasts(self, market: Market) -> list[dict[str, Any]]:
        if not market.connected:
            return []
        if self._alerts_seen is None:
            # Alerts from before the page was opened are in the table; only those that come now are called out.
            since = self.mark.alerts_us
            self._alerts_seen = {
                alert.alert_id for alert in market.alerts if since is None or alert.event_us <= since
            }
        return toasts(market.alerts, self._alerts_seen)

    def _changed(self, props: Props) -> Props:
        changed: Props = {}
        for element, values in props.items():
            for name, value in values.items():
                if name not in NOT_KEPT:
                    was, comparable = self._sent.get((element, name), _NEVER)
                    if was is value or comparable == (comparable := _comparable(value)):
                        continue
                    self._sent[element, name] = (value, comparable)
                changed.setdefault(element, {})[name] = value
        return changed


_NEVER = (object(), object())


def _comparable(value: Any) -> Any:
    is_components = isinstance(value, Component) or (
        isinstance(value, list) and any(isinstance(item, Component) for item in value)
    )
    return json.dumps(value, default=Component.to_plotly_json) if is_components else value
