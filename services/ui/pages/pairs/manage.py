"""Management of pairs: add one; pause, resume or remove the selected one."""

from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, ctx, html, set_props
from dash.development.base_component import Component

from services.common.errors import TransientError
from services.contracts.pairs import Pair
from services.contracts.symbol_forms import market_symbol
from services.ui.api import problems, stream_follower
from services.ui.api.client import segment
from services.ui.api.decoding import decode
from services.ui.api.types import WatchedPair
from services.ui.pages import listed_symbols
from services.ui.pages.pairs.settings import said, samples
from services.ui.pages.pairs.texts import method_name
from services.ui.state.page_context import PageContext, Props, attributes

NOT_FOUND = 404
KEPT = "Stored signals and alerts stay available through the API."
LOST = "Tracking stops; its settings and its window are deleted."


def layout() -> Component:
    """Return the form that adds a pair, and the actions on the selected one."""
    shown = html.Div(
        [
            html.H4("This pair", className="part-title"),
            html.Div(id="manage-state", className="num"),
            html.Div(
                [
                    html.Button("Pause", id="manage-pause", n_clicks=0, className="button"),
                    html.Button("Remove…", id="manage-remove", n_clicks=0, className="button"),
                ],
                className="form-foot",
            ),
            html.Div(id="manage-status", className="panel-status", role="status"),
        ]
    )
    adding = html.Div(
        [
            html.H4("Another pair", className="part-title"),
            html.Div([_leg("y", "Y"), _leg("x", "X")], className="form"),
            html.Div("Y is regressed on X. It begins with the default settings.", className="fine"),
            html.Div(
                html.Button("Add", id="manage-add", n_clicks=0, className="button is-first"),
                className="form-foot",
            ),
            html.Div(id="add-status", className="panel-status", role="status"),
        ]
    )
    confirm = dmc.Modal(
        [
            html.P(id="remove-what"),
            html.P([html.B("Lost: "), LOST]),
            html.P([html.B("Kept: "), KEPT]),
            html.Div(
                [
                    html.Button("Keep it", id="remove-keep", n_clicks=0, className="button"),
                    html.Button("Remove it", id="remove-do", n_clicks=0, className="button is-last"),
                ],
                className="form-foot",
            ),
        ],
        id="remove-confirm",
        title="Remove this pair?",
        centered=True,
        closeButtonProps=attributes("aria", label="Close"),
    )
    whole: Component = html.Div([shown, adding, confirm])
    return whole


def register(app: Dash, site: PageContext) -> None:
    """Add what the fields and the buttons do."""
    for name in ("y", "x"):
        listed_symbols.register_search(app, site, f"add-{name}")

    def show(props: Props) -> None:
        for element, values in props.items():
            set_props(element, values)

    @app.callback(
        Output("manage-add", "title"),
        Input("manage-add", "n_clicks"),
        State("add-y", "value"),
        State("add-x", "value"),
        running=[(Output("manage-add", "children"), "Adding…", "Add")],
        prevent_initial_call=True,
    )
    async def press_add(_: int, y: str | None, x: str | None) -> str:
        show(await add(site, y or "", x or ""))
        return ""

    @app.callback(
        Output("manage-pause", "title"),
        Input("manage-pause", "n_clicks"),
        State("pair-live", "data"),
        prevent_initial_call=True,
    )
    async def press_pause(_: int, live: dict[str, Any] | None) -> str:
        if live:
            show(await pause(site, str(live["pair"]), paused=not live["paused"]))
        return ""

    @app.callback(
        Output("remove-confirm", "opened"),
        Output("remove-what", "children"),
        Input("manage-remove", "n_clicks"),
        Input("remove-keep", "n_clicks"),
        Input("remove-do", "n_clicks"),
        State("pair-live", "data"),
        prevent_initial_call=True,
    )
    async def press_remove(_: int, _keep: int, _do: int, live: dict[str, Any] | None) -> tuple[bool, str]:
        if not live:
            return False, ""
        pair = str(live["pair"])
        if ctx.triggered_id == "remove-do":
            show(await remove(site, pair))
        return ctx.triggered_id == "manage-remove", f"{pair} will no longer be watched."


async def add(site: PageContext, y: str, x: str) -> Props:
    """Ask the API to watch `y` against `x`, unless it does already, and return the text to show."""
    if not y.strip() or not x.strip():
        return {"add-status": said("Choose two symbols, Y and X.", is_error=True)}
    try:
        name = str(Pair.of(*(market_symbol(leg, site.market.symbols) for leg in (y, x))))
    except ValueError as error:
        return {"add-status": said(f"Not added: {error}.", is_error=True)}
    try:
        known = await site.client.send("GET", f"/v1/pairs/{segment(name)}")
        if known.is_success:
            await stream_follower.refresh_once(site.client, site.market)
            return {**_select(site, name), "add-status": said(f"{name} is watched already; it is shown now.")}
        if known.status_code != NOT_FOUND:
            return _refused("add-status", "Not added.", known)
        response = await site.client.send("PUT", f"/v1/pairs/{segment(name)}")
    except TransientError as error:
        return {"add-status": said(f"Not added. {error}", is_error=True)}
    if response.is_error:
        return _refused("add-status", "Not added.", response)
    now = decode(response.content, WatchedPair)
    await stream_follower.refresh_once(site.client, site.market)
    prices = "log prices" if now.transform == "log" else "prices"
    first = samples(min(now.window, now.min_samples), site.market)
    text = (
        f"{now.pair} is watched: {method_name(now.method)} on {prices}, window of {now.window} samples, "
        f"|z| ≥ {now.entry_z:g}. The first z-score comes after {first}."
    )
    return {
        **_select(site, now.pair),
        "add-status": said(text),
        "add-y": {"value": ""},
        "add-x": {"value": ""},
    }


async def pause(site: PageContext, pair: str, *, paused: bool) -> Props:
    """Ask the API to pause or resume `pair`, and return the text to show."""
    done = "Paused" if paused else "Resumed"
    try:
        response = await site.client.send("PATCH", f"/v1/pairs/{segment(pair)}", json={"paused": paused})
    except TransientError as error:
        return {"manage-status": said(f"Not {done.lower()}. {error}", is_error=True)}
    if response.is_error:
        return _refused("manage-status", f"Not {done.lower()}.", response)
    now = decode(response.content, WatchedPair)
    await stream_follower.refresh_once(site.client, site.market)
    text = "No signals and no alerts until it is resumed. Its settings stay."
    if not paused:
        text = f"If the pause was longer than the window of {now.window} samples, that fills again."
    return {"manage-status": said(f"{done}. {text}")}


async def remove(site: PageContext, pair: str) -> Props:
    """Ask the API to remove `pair`, and return the text to show."""
    try:
        response = await site.client.send("DELETE", f"/v1/pairs/{segment(pair)}")
    except TransientError as error:
        return {"manage-status": said(f"Not removed. {error}", is_error=True)}
    if response.is_error:
        return _refused("manage-status", "Not removed.", response)
    await stream_follower.refresh_once(site.client, site.market)
    left = next(iter(site.market.pairs or {}), None)
    return {**_select(site, left), "manage-status": said(f"{pair} is removed. {KEPT}")}


def _select(site: PageContext, pair: str | None) -> Props:
    """Return the choice of pairs as it is now, with `pair` chosen."""
    return {"pair-select": {"data": list(site.market.pairs or {}), "value": pair}}


def _refused(element: str, what: str, response: Any) -> Props:
    wrong = problems.read(response)
    text = " ".join((what, *wrong.fields.values(), wrong.rest))
    return {element: said(text, is_error=True)}


def _leg(name: str, label: str) -> Component:
    return listed_symbols.search_field(f"add-{name}", label=label, placeholder="Any listed symbol")
