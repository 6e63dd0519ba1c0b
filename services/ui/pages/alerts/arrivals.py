"""Arrivals of an incident: what became of its alert at each target, in a dialog that a row of the history opens."""

from typing import Any
from urllib.parse import urlencode

import dash_mantine_components as dmc
from dash import Dash, Input, Output, dcc, html
from dash.development.base_component import Component

from services.common.errors import BadMessageError, TransientError
from services.ui.api.client import segment
from services.ui.api.types import AlertDelivery, Listing
from services.ui.state.page_context import PageContext, attributes

NO_TARGET = "There is no target: alerts are on the topic and on this page alone."


def dialog() -> Component:
    """Return the dialog, closed."""
    modal = dmc.Modal(
        [
            html.Div(id="arrivals-about", className="snooze-about"),
            html.Div(id="arrivals-told", role="status"),
        ],
        id="arrivals",
        title="Deliveries",
        size="lg",
        centered=True,
        closeButtonProps=attributes("aria", label="Close"),
    )
    whole: Component = html.Div([dcc.Store(id="arrivals-asked"), modal])
    return whole


def register(app: Dash, site: PageContext) -> None:
    """Ask the API when the dialog is opened."""

    @app.callback(
        Output("arrivals-told", "children"), Input("arrivals-asked", "data"), prevent_initial_call=True
    )
    async def ask(asked: Any) -> list[Component]:
        return await told(site, str(asked["alert"]))


async def told(site: PageContext, alert_id: str) -> list[Component]:
    """Return a line for each target, and the way to the log."""
    try:
        found = await site.client.read(f"/v1/alerts/{segment(alert_id)}/deliveries", Listing[AlertDelivery])
    except (TransientError, BadMessageError) as error:
        return [html.Div(f"The deliveries cannot be read: {error}")]
    lines = [html.Li([html.B(one.target), f", {one.state}: {one.why}."]) for one in found.data]
    href = f"/delivery?{urlencode({'alert': alert_id})}"
    way = html.A("In the delivery log", href=href, className="inside")
    return [html.Ul(lines, className="arrivals"), way] if lines else [html.Div(NO_TARGET)]
