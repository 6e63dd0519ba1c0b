"""What the page asks of the server: one stream for each tab, and a slow poll where there can be none."""

import asyncio
from collections.abc import Callable
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, ctx, set_props

from services.ui.market import Market, Now
from services.ui.tab import Tab
from services.ui.tracks import Tracks
from services.ui.view import Props, Selection

FRAME_S = 0.25
# A tab that does not answer this long is asleep or gone; when it wakes, its page asks for a new stream.
ANSWER_S = 20.0


def register(app: Dash, market: Market, tracks: Tracks, now: Callable[[], Now]) -> None:
    """Add every callback to `app`."""
    newest: dict[str, object] = {}

    async def stream() -> None:
        """Send one tab what is new, four times a second, until it goes.

        Each frame waits for the tab to say what it looks at, so frames never pile up before a slow tab.
        A tab has one stream: when it asks for another, the older one ends.
        """
        socket = ctx.websocket
        if socket is None:
            return  # a browser without shared workers: the page polls
        loop, me, name = asyncio.get_running_loop(), object(), ""
        try:
            tab = Tab(await socket.get_prop("mark", "data", timeout=ANSWER_S))
            while not socket.is_shutdown:
                due = loop.time() + FRAME_S
                selection = Selection.read(await socket.get_prop("selection", "data", timeout=ANSWER_S))
                if selection is not None:
                    if not name:
                        name = selection.tab
                        newest[name] = me
                    if newest.get(name) is not me:
                        return
                    props = tab.step(market, tracks, selection, now())
                    for chart, dropped in tab.dropped.items():
                        seen = await socket.get_prop(chart, "visibleLogicalRange", timeout=ANSWER_S)
                        props[chart].update(_moved(seen, dropped))
                    _send(props)
                await asyncio.sleep(max(0.0, due - loop.time()))
        except TimeoutError:
            return
        finally:
            if newest.get(name) is me:
                del newest[name]

    app.callback(websocket=True, persistent=True)(stream)

    @app.callback(
        Output("stream-again", "data"),
        Input("kick", "data"),
        websocket=True,
        persistent=True,
        prevent_initial_call=True,
    )
    async def stream_again(kick: int) -> int:
        await stream()
        return kick

    @app.callback(
        Output("polled", "data"),
        Input("poll", "n_intervals"),
        State("selection", "data"),
        State("mark", "data"),
        State("chart-candles", "visibleLogicalRange"),
        State("chart-pair", "visibleLogicalRange"),
        prevent_initial_call=True,
    )
    async def poll(count: int, store: Any, mark: Any, candles_range: Any, pair_range: Any) -> int:
        selection = Selection.read(store)
        if selection is not None:
            tab = Tab(mark, via="poll")
            props = tab.step(market, tracks, selection, now())
            ranges = {"chart-candles": candles_range, "chart-pair": pair_range}
            for chart, dropped in tab.dropped.items():
                props[chart].update(_moved(ranges[chart], dropped))
            _send(props)
        return count

    _register_page(app)


def _register_page(app: Dash) -> None:
    """Add what the page does by itself; the functions are in ``assets/pairstream.js``."""

    def page(function: str, *dependencies: Any, first: bool = True) -> None:
        app.clientside_callback(  # type: ignore[no-untyped-call]
            ClientsideFunction("pairstream", function), *dependencies, prevent_initial_call=not first
        )

    page(
        "route",
        Output("pair-select", "value"),
        Output("leg-select", "value"),
        Output("interval-select", "value"),
        Input("url", "search"),
    )
    page(
        "select",
        Output("selection", "data"),
        Output("chart-candles", "series"),
        Output("chart-pair", "series"),
        Output("candles-empty", "children"),
        Output("candles-empty", "className"),
        Output("pair-empty", "children"),
        Output("pair-empty", "className"),
        Output("zscore-empty", "className"),
        Output("legend-bar", "children"),
        Input("pair-select", "value"),
        Input("leg-select", "value"),
        Input("interval-select", "value"),
        State("selection", "data"),
        first=False,
    )
    page("theme", Output("theme", "data"), Input("theme-toggle", "n_clicks"), State("theme", "data"))
    page(
        "paint",
        Output("mantine", "forceColorScheme"),
        Output("chart-candles", "chartOptions"),
        Output("chart-pair", "chartOptions"),
        Output("theme-toggle", "aria-label"),
        Input("theme", "data"),
        Input("system-theme", "data"),
        State("chart-options", "data"),
    )
    page("legend", Output("legend-hover", "children"), Input("chart-candles", "crosshair"), first=False)


def _send(props: Props) -> None:
    for element, values in props.items():
        set_props(element, values)


def _moved(seen: Any, dropped: int) -> dict[str, Any]:
    """Return the range that shows the same points after `dropped` of them have left the left end."""
    if not isinstance(seen, dict) or seen.get("from") is None or seen.get("to") is None:
        return {}
    return {"visibleLogicalRange": {"from": seen["from"] - dropped, "to": seen["to"] - dropped}}
