"""Callbacks of every page: one stream for each session, and a slow poll where no stream is possible."""

import asyncio
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, ctx, set_props

from services.ui.alerts import actions
from services.ui.pages import PAGES
from services.ui.shell import tour
from services.ui.shell.layout import shell
from services.ui.state.page_context import PageContext, Props, Selection
from services.ui.state.session import Session
from services.ui.widgets import batched_elements
from services.ui.widgets.batched_elements import BatchedElements

FRAME_S = 0.25
# Interval just after a user has chosen something, which includes opening a page.
HURRIED_FRAME_S = 0.1
HURRY_S = 2.0
# A browser tab that does not answer this long is asleep or gone; when it wakes, its page asks for a new stream.
ANSWER_S = 20.0
VIEWS = {page.name: page.view for page in PAGES}
DRAWN = {
    element: owner
    for layout in (shell(), *(page.layout() for page in PAGES))
    for element, owner in batched_elements.ids(layout).items()
}


def register(app: Dash, site: PageContext) -> None:
    """Add every callback to `app`."""
    newest: dict[str, object] = {}

    async def stream() -> None:
        """Send one session what is new, four times a second and when there is an alert, until the browser tab goes.

        Each frame waits for the tab to send its selection, so frames never pile up before a slow tab.
        A tab has one stream: when it asks for another, the older one ends.
        """
        socket = ctx.websocket
        if socket is None:
            return  # a browser without shared workers: the page polls
        loop, me, name = asyncio.get_running_loop(), object(), ""
        chosen, chosen_s, polled = None, loop.time(), None
        try:
            site.market.watchers.add(me)
            await site.client.pace(is_watched=True)
            tab, drawings = None, BatchedElements(DRAWN)
            while not socket.is_shutdown:
                began_s, wake_ups = loop.time(), site.market.wake_up.count
                selection = Selection.read(await socket.get_prop("selection", "data", timeout=ANSWER_S))
                if selection != chosen:
                    chosen, chosen_s = selection, began_s
                if selection is not None:
                    if not name:
                        name = selection.tab
                        newest[name] = me
                    if tab is None or selection.polled != polled:
                        # What is shown is not, or no longer, what this stream has sent.
                        polled = selection.polled
                        tab = Session(site, VIEWS, await socket.get_prop("mark", "data", timeout=ANSWER_S))
                        drawings = BatchedElements(DRAWN)
                    if newest.get(name) is not me:
                        return
                    props = tab.step(selection, site.now())
                    for chart, dropped in tab.dropped.items():
                        seen = await socket.get_prop(chart, "visibleLogicalRange", timeout=ANSWER_S)
                        props[chart].update(_moved(seen, dropped))
                    _send(drawings.gather(props))
                frame_s = HURRIED_FRAME_S if began_s - chosen_s < HURRY_S else FRAME_S
                await site.market.wake_up.wait(wake_ups, began_s + frame_s - loop.time())
        except TimeoutError:
            return
        finally:
            site.market.watchers.discard(me)
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
    async def poll(asked: Any) -> dict[str, Any]:
        """Answer the poll of a session without a stream; it sends all that a stream would ask it for."""
        selection, props = Selection.read(asked.get("selection")), {}
        if selection is not None:
            tab = Session(site, VIEWS, asked.get("mark"), via="poll")
            props = tab.step(selection, site.now())
            for chart, dropped in tab.dropped.items():
                props[chart].update(_moved(asked.get("ranges", {}).get(chart), dropped))
        return {"at": asked.get("at"), "props": BatchedElements(DRAWN).gather(props)}

    _register_page(app)
    actions.register(app, site)
    tour.register(app)
    for page in PAGES:
        page.register(app, site)


def _register_page(app: Dash) -> None:
    """Add what the page does by itself; the functions are in ``assets/pairstream.js`` and ``assets/stream.js``."""

    def bind_clientside(function: str, *dependencies: Any, script: str = "pairstream") -> None:
        app.clientside_callback(  # type: ignore[no-untyped-call]
            ClientsideFunction(script, function), *dependencies
        )

    bind_clientside("place", Output("placed", "data"), Input("_pages_content", "children"))
    bind_clientside("take", Output("taken", "data"), Input("polled", "data"), script="stream")
    bind_clientside("theme", Output("theme", "data"), Input("theme-toggle", "n_clicks"))
    bind_clientside(
        "paint",
        Output("mantine", "forceColorScheme"),
        Output("theme-toggle", "aria-label"),
        Input("theme", "data"),
        Input("system-theme", "data"),
    )
    bind_clientside(
        "zones", Output("zone-select", "data"), Output("zone-select", "value"), Input("zone-select", "id")
    )
    bind_clientside("zone", Output("zone-select", "error"), Input("zone-select", "value"))


def _send(props: Props) -> None:
    for element, values in props.items():
        set_props(element, values)


def _moved(seen: Any, dropped: int) -> dict[str, Any]:
    """Return the range that shows the same points after `dropped` of them have left the left end."""
    if not isinstance(seen, dict) or seen.get("from") is None or seen.get("to") is None:
        return {}
    # A range that the chart itself has reported lately is taken for an echo of that, unless there is more in it.
    begin, end = seen["from"] - dropped, seen["to"] - dropped
    return {"visibleLogicalRange": {"from": begin, "to": end, "nonce": "moved"}}
