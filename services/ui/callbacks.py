"""What every page asks of the server: one stream for each tab, and a slow poll where there can be none."""

import asyncio
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, ctx, set_props

from services.ui import handling, tour
from services.ui.pages import PAGES
from services.ui.tab import Tab
from services.ui.view import Props, Selection, Site

FRAME_S = 0.25
# A tab that does not answer this long is asleep or gone; when it wakes, its page asks for a new stream.
ANSWER_S = 20.0
VIEWS = {page.name: page.view for page in PAGES}


def register(app: Dash, site: Site) -> None:
    """Add every callback to `app`."""
    newest: dict[str, object] = {}

    async def stream() -> None:
        """Send one tab what is new, four times a second and when there is an alert, until it goes.

        Each frame waits for the tab to say what it looks at, so frames never pile up before a slow tab.
        A tab has one stream: when it asks for another, the older one ends.
        """
        socket = ctx.websocket
        if socket is None:
            return  # a browser without shared workers: the page polls
        loop, me, name = asyncio.get_running_loop(), object(), ""
        try:
            tab = Tab(site, VIEWS, await socket.get_prop("mark", "data", timeout=ANSWER_S))
            while not socket.is_shutdown:
                due, heard = loop.time() + FRAME_S, site.market.bell.rung
                selection = Selection.read(await socket.get_prop("selection", "data", timeout=ANSWER_S))
                if selection is not None:
                    if not name:
                        name = selection.tab
                        newest[name] = me
                    if newest.get(name) is not me:
                        return
                    props = tab.step(selection, site.now())
                    for chart, dropped in tab.dropped.items():
                        seen = await socket.get_prop(chart, "visibleLogicalRange", timeout=ANSWER_S)
                        props[chart].update(_moved(seen, dropped))
                    _send(props)
                await site.market.bell.wait(heard, due - loop.time())
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

    @app.callback(Output("polled", "data"), Input("poll", "data"), prevent_initial_call=True)
    async def poll(asked: Any) -> int:
        """Answer a tab without a stream; it says all that a stream would ask it for."""
        selection = Selection.read(asked.get("selection"))
        if selection is not None:
            tab = Tab(site, VIEWS, asked.get("mark"), via="poll")
            props = tab.step(selection, site.now())
            for chart, dropped in tab.dropped.items():
                props[chart].update(_moved(asked.get("ranges", {}).get(chart), dropped))
            _send(props)
        return int(asked.get("count", 0))

    _register_page(app)
    handling.register(app, site)
    tour.register(app)
    for page in PAGES:
        page.register(app, site)


def _register_page(app: Dash) -> None:
    """Add what the page does by itself; the functions are in ``assets/pairstream.js``."""

    def own(function: str, *dependencies: Any) -> None:
        app.clientside_callback(  # type: ignore[no-untyped-call]
            ClientsideFunction("pairstream", function), *dependencies
        )

    own("place", Output("placed", "data"), Input("_pages_content", "children"))
    own("theme", Output("theme", "data"), Input("theme-toggle", "n_clicks"))
    own(
        "paint",
        Output("mantine", "forceColorScheme"),
        Output("theme-toggle", "aria-label"),
        Input("theme", "data"),
        Input("system-theme", "data"),
    )
    own("zones", Output("zone-select", "data"), Output("zone-select", "value"), Input("zone-select", "id"))
    own("zone", Output("zone-select", "error"), Input("zone-select", "value"))


def _send(props: Props) -> None:
    for element, values in props.items():
        set_props(element, values)


def _moved(seen: Any, dropped: int) -> dict[str, Any]:
    """Return the range that shows the same points after `dropped` of them have left the left end."""
    if not isinstance(seen, dict) or seen.get("from") is None or seen.get("to") is None:
        return {}
    return {"visibleLogicalRange": {"from": seen["from"] - dropped, "to": seen["to"] - dropped}}
