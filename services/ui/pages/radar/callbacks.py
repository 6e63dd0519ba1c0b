"""Callbacks of the radar page; its script is ``radar.js`` of ``assets/pages``."""

from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State

from services.common.errors import TransientError
from services.ui.analysis import panel
from services.ui.api import problems, stream_follower
from services.ui.api.client import segment
from services.ui.pages.radar.layout import STUDIED, STUDY, layout
from services.ui.state.page_context import PageContext

CONTROLS = ("select", "stage", "name", "bp", "of")


def register(app: Dash, site: PageContext) -> None:
    """Add what the page does."""
    panel.register(app, site, STUDY, STUDIED, panel.ids(layout()))

    def bind_clientside(name: str, *dependencies: Any, initially: bool = False) -> None:
        app.clientside_callback(  # type: ignore[no-untyped-call]
            ClientsideFunction("radar", name), *dependencies, prevent_initial_call=not initially
        )

    bind_clientside(
        "route",
        *(Output(f"radar-{name}", "value") for name in CONTROLS),
        Output("radar-pair", "data"),
        Input("page-radar", "id"),
        initially=True,
    )
    bind_clientside(
        "select",
        Output("radar-shown", "className"),
        *(Input(f"radar-{name}", "value") for name in CONTROLS),
        Input("radar-pair", "data"),
        Input("zone-select", "value"),
        initially=True,
    )
    bind_clientside(
        "pick", Output("radar-pair", "data", allow_duplicate=True), Input("radar-matrix", "clickData")
    )

    @app.callback(
        Output("radar-watched", "children"),
        Input("radar-watch", "n_clicks"),
        State("radar-study-subject", "data"),
        running=[(Output("radar-watch", "disabled"), True, False)],
        prevent_initial_call=True,
    )
    async def watch(clicks: int, subject: dict[str, Any] | None) -> str:
        return await watched(site, subject) if clicks and subject else ""


async def watched(site: PageContext, subject: dict[str, Any]) -> str:
    """Have the API watch the chosen pair, and return what to say of it."""
    pair, transform = str(subject["pair"]), subject.get("transform", "price")
    if pair in (site.market.pairs or {}):
        return f"{pair} is watched already."
    try:
        response = await site.client.send("PUT", f"/v1/pairs/{segment(pair)}", json={"transform": transform})
    except TransientError as error:
        return f"Not watched. {error}"
    if response.is_error:
        wrong = problems.read(response)
        return " ".join(("Not watched.", *wrong.fields.values(), wrong.rest))
    await stream_follower.refresh_once(site.client, site.market)
    return f"{pair} is watched: it is on the page Pairs."
