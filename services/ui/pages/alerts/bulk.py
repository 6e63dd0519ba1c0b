"""Controls of the alerts page for several alerts: acknowledge all that fire, snooze the chosen pair."""

from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, html, no_update
from dash.development.base_component import Component

from services.ui.alerts import bulk_actions
from services.ui.alerts.actions import SNOOZES
from services.ui.pages.alerts.history import HistoryFilter
from services.ui.state.page_context import PageContext, Selection, attributes


def parts() -> Component:
    """Return the controls; each is hidden while there is nothing that it could be about."""
    snoozes = [*({"value": str(seconds), "label": label} for label, seconds in SNOOZES)]
    choice = dmc.Select(
        id="alerts-snooze-all",
        data=[*snoozes, {"value": "0", "label": "End the snooze"}],
        value=None,
        size="xs",
        w=210,
        **attributes("aria", label="Snooze the chosen pair or symbol"),
    )
    return html.Div(
        [
            html.Button("Acknowledge", id="alerts-ack-all", n_clicks=0, className="button", hidden=True),
            html.Div(choice, id="alerts-snooze-box", hidden=True),
        ],
        className="alerts-bulk for-writers",
    )


def register(app: Dash, site: PageContext) -> None:
    """Do what the controls ask, and say below the table what came of it."""

    @app.callback(
        Output("alerts-said", "children", allow_duplicate=True),
        Input("alerts-ack-all", "n_clicks"),
        State("selection", "data"),
        prevent_initial_call=True,
    )
    async def acknowledge(clicks: int, store: Any) -> Any:
        selection = Selection.read(store)
        if selection is None or not clicks:
            return no_update
        return await bulk_actions.acknowledge(site, HistoryFilter.read(selection).subject)

    @app.callback(
        Output("alerts-said", "children", allow_duplicate=True),
        Output("alerts-snooze-all", "value"),
        Input("alerts-snooze-all", "value"),
        State("selection", "data"),
        prevent_initial_call=True,
    )
    async def snooze(seconds: str | None, store: Any) -> Any:
        selection = Selection.read(store)
        subject = None if selection is None else HistoryFilter.read(selection).subject
        if seconds is None or subject is None:
            return no_update
        return await bulk_actions.snooze(site, subject, float(seconds)), None
