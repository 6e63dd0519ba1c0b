"""Losses of services, and their acknowledgement."""

from typing import Any

from dash import Dash, Input, Output, dcc, html
from dash.development.base_component import Component

from services.common.errors import TransientError
from services.ui.api import problems
from services.ui.state.page_context import PageContext

ASKED, SAID = "losses-asked", "losses-said"


def parts() -> list[Component]:
    """Return the stores of the acknowledge buttons, and the place for the reason of a failure."""
    return [dcc.Store(id=ASKED), html.P(id=SAID, className="losses-said", role="alert")]


def register(app: Dash, site: PageContext) -> None:
    """Do what the buttons ask; what has changed comes through the stream."""

    @app.callback(Output(SAID, "children"), Input(ASKED, "data"), prevent_initial_call=True)
    async def acknowledge(asked: Any) -> str:
        return await acknowledged(site, str(asked["service"]))


async def acknowledged(site: PageContext, service: str) -> str:
    """Have the API acknowledge the losses, and return why that failed, empty if it did not."""
    try:
        response = await site.client.send("POST", "/v1/status/acknowledge", json={"service": service})
    except TransientError as error:
        return f"Not acknowledged: {error}"
    return "" if response.is_success else f"Not acknowledged: {problems.read(response).rest}"
