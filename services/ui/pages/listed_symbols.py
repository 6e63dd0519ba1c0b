"""Search among all symbols that the venues list, and the button that collects one of them."""

from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, html, set_props
from dash.development.base_component import Component

from services.common.errors import BadMessageError, TransientError
from services.ui.api import problems, stream_follower
from services.ui.api.client import segment
from services.ui.api.types import ListedSymbol, Listing
from services.ui.state.page_context import PageContext, Props, attributes

FOUND = 30
# The API has put what fits first, whatever it is called.
AS_ANSWERED = {"function": "asAnswered"}


def search_field(element: str, **more: Any) -> Component:
    """Return a field that finds any listed symbol as one types."""
    field: Component = dmc.Autocomplete(
        id=element,
        size="xs",
        data=[],
        limit=FOUND,
        filter=AS_ANSWERED,
        selectFirstOptionOnChange=True,
        **more,
    )
    return field


def layout() -> Component:
    """Return the field, the button, and what became of it."""
    field = search_field(
        "listed-find", placeholder="Any listed symbol", w=150, **attributes("aria", label="Any listed symbol")
    )
    whole: Component = html.Div(
        [
            field,
            html.Button("Collect", id="listed-collect", n_clicks=0, className="button"),
            html.Span(id="listed-status", className="panel-status", role="status"),
        ],
        className="listed",
    )
    return whole


def register_search(app: Dash, site: PageContext, element: str) -> None:
    """Let a field offer what the API finds for its text."""

    @app.callback(
        Output(element, "data", allow_duplicate=True), Input(element, "value"), prevent_initial_call=True
    )
    async def find(text: str | None) -> list[str]:
        return await found(site, text or "")


def register(app: Dash, site: PageContext) -> None:
    """Add what the field and the button do."""
    register_search(app, site, "listed-find")

    @app.callback(
        Output("listed-collect", "title"),
        Input("listed-collect", "n_clicks"),
        Input("listed-find", "n_submit"),
        State("listed-find", "value"),
        running=[(Output("listed-collect", "children"), "Asking…", "Collect")],
        prevent_initial_call=True,
    )
    async def press(_: int, _submitted: int | None, text: str | None) -> str:
        for element, values in (await collect(site, text or "")).items():
            set_props(element, values)
        return ""


async def found(site: PageContext, text: str) -> list[str]:
    """Return the listed symbols that fit a text, best first; those collected while there is none, or no answer."""
    if text.strip():
        try:
            answer = await site.client.read(
                "/v1/symbols", Listing[ListedSymbol], listed=True, search=text[:100], limit=FOUND
            )
        except (TransientError, BadMessageError):
            # The status line of the page says that the API is away.
            return sorted(site.market.symbols)
        return [one.symbol for one in answer.data]
    return sorted(site.market.symbols)


async def collect(site: PageContext, text: str) -> Props:
    """Ask the API to collect a symbol, and return the text to show."""
    if not (name := text.strip().upper()):
        return _said("Type the name of a symbol.", is_error=True)
    try:
        response = await site.client.send("PUT", f"/v1/symbols/{segment(name)}")
    except TransientError as error:
        return _said(f"Not collected. {error}", is_error=True)
    if response.is_error:
        wrong = problems.read(response)
        return _said(" ".join(("Not collected.", *wrong.fields.values(), wrong.rest)), is_error=True)
    await stream_follower.refresh_once(site.client, site.market)
    state = response.json()["state"]
    if state == "filling":
        said = "its history is being loaded."
    else:
        said = "it is collected already." if state == "live" else "it comes when it trades."
    return {**_said(f"{name} is {state}: {said}"), "listed-find": {"value": ""}}


def _said(text: str, *, is_error: bool = False) -> Props:
    status = "panel-status is-error" if is_error else "panel-status"
    return {"listed-status": {"children": text, "className": status}}
