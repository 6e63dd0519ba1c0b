"""Session of one browser tab: what it has been sent, and what is new for it."""

import json
from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from dash.development.base_component import Component

from services.ui.alerts.toasts import Toasts
from services.ui.shell import header
from services.ui.state.live_state import Now
from services.ui.state.page_context import PageContext, Props, Selection, View

# Sent when due, never because it differs: too large to keep, or an event rather than a state.
NOT_KEPT = ("series", "timeScaleAction", "sendNotifications", "hideNotifications")


class ResumeToken(msgspec.Struct, frozen=True):
    """Position of a session; the page stores it, so that a new stream goes on where the last one ended.

    ``place`` is the opening of the page that ``page`` is the mark of.
    """

    place: tuple[str, int] = ("", 0)
    page: Any = None
    alerts_us: int | None = None
    title: str = header.NAME
    second: int = 0
    via: str = "stream"


class Session:
    """Session of one browser tab."""

    def __init__(
        self,
        site: PageContext,
        views: Mapping[str, type[View]],
        mark: Any = None,
        via: Literal["stream", "poll"] = "stream",
    ) -> None:
        """`views` by the name of their page; `mark` is the ``mark`` store: what an earlier stream had reached."""
        self._site = site
        self._views = views
        self._via = via
        try:
            self.mark = msgspec.convert(mark, ResumeToken) if mark else ResumeToken()
        except msgspec.ValidationError:
            self.mark = ResumeToken()  # a page older than this process
        self.dropped: dict[str, int] = {}
        self._sent: dict[tuple[str, str], tuple[Any, Any]] = {}
        self._selection: Selection | None = None
        self._view = View(site)
        self._marked_s = -1
        self._toasts: Toasts | None = None

    def step(self, selection: Selection, now: Now) -> Props:
        """Return what changed since the last step; ``dropped`` then holds what left each chart's left end."""
        self._turn_to(selection)
        market = self._site.market
        props = header.frame(market, selection, now) | self._view.step(selection, now)
        self.dropped = self._view.dropped
        if market.connected:
            # Alerts from before the page was opened are in the table; only those that come now are called out.
            self._toasts = self._toasts or Toasts(market.alarms, self.mark.alerts_us)
            if shown := self._toasts.step(market.alarms, selection.zone, now.us):
                props["toasts"] = shown
                # The container forgets what it has shown before another callback could read it.
                for toast in shown.get("sendNotifications", ()):
                    if toast["action"] == "show":
                        props["alert-called"] = {"data": toast["id"]}
        self.mark = ResumeToken(
            place=(selection.page, selection.opened),
            page=self._view.mark,
            alerts_us=max((alert.event_us for alert in market.alerts), default=self.mark.alerts_us or 0),
            title=header.title(self._view.title),
            second=int(now.s),
            via=self._via,
        )
        # At once after a redraw that moved the view: a stream that goes on from an older mark would move it again.
        if self._marked_s != self.mark.second or self.dropped:
            self._marked_s = self.mark.second
            props["mark"] = {"data": msgspec.to_builtins(self.mark)}
        return self._changed(props)

    def _turn_to(self, selection: Selection) -> None:
        before, self._selection = self._selection, selection
        if before is None or (before.page, before.opened) != (selection.page, selection.opened):
            same = self.mark.place == (selection.page, selection.opened)
            view = self._views.get(selection.page, View)
            self._view = view(self._site, self.mark.page if same else None)
            self._sent.clear()
        elif selection != before:
            for element in self._view.cleared:
                for name in ("children", "className"):
                    self._sent.pop((element, name), None)

    def _changed(self, props: Props) -> Props:
        changed: Props = {}
        for element, values in props.items():
            for name, value in values.items():
                if name == "tick":
                    # Each one draws the whole chart again.
                    drawn, _ = self._sent.get((element, name), _NONE)
                    self._sent[element, name] = (value, None)
                    value = [update for update in value if update not in drawn]
                    if not value:
                        continue
                elif name not in NOT_KEPT:
                    was, comparable = self._sent.get((element, name), _NEVER)
                    if was is value or comparable == (comparable := _comparable(value)):
                        continue
                    self._sent[element, name] = (value, comparable)
                changed.setdefault(element, {})[name] = value
        return changed


_NEVER = (object(), object())
_NONE: tuple[Any, Any] = ((), None)


def _comparable(value: Any) -> Any:
    is_components = isinstance(value, Component) or (
        isinstance(value, list) and any(isinstance(item, Component) for item in value)
    )
    return json.dumps(value, default=Component.to_plotly_json) if is_components else value
