"""Marking of incidents as false alarms, with a note: a dialog that a row of the history opens."""

from typing import Any

import dash_mantine_components as dmc
import msgspec
from dash import ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from services.common.errors import TransientError
from services.ui.api import problems
from services.ui.api.client import segment
from services.ui.api.types import Incident
from services.ui.pages.alerts import history
from services.ui.state import role_of_page
from services.ui.state.page_context import PageContext, attributes

CLASSES = "page-main is-alerts"


def dialog() -> Component:
    """Return the dialog, closed."""
    buttons = [
        html.Button("False alarm", id="judge-false", n_clicks=0, className="button is-first"),
        html.Button("Not false", id="judge-not", n_clicks=0, className="button"),
    ]
    modal = dmc.Modal(
        [
            html.Div(id="judge-about", className="snooze-about"),
            dmc.Textarea(id="judge-note", label="Why", value="", autosize=True, minRows=2, size="xs"),
            html.Div(id="judge-said", className="snooze-said", role="alert"),
            html.Div(buttons, className="form-foot"),
        ],
        id="judge",
        title="Was this a false alarm?",
        size="sm",
        centered=True,
        closeButtonProps=attributes("aria", label="Close"),
    )
    whole: Component = html.Div([dcc.Store(id="judge-incident"), modal])
    return whole


def register(app: Dash, site: PageContext) -> None:
    """Store the judgement, and show it in the row; readers see no button."""

    role_of_page.register(app, site, "page-alerts", "alerts-reader", CLASSES)

    @app.callback(
        Output("alerts-marked", "data"),
        Output("judge", "opened"),
        Output("judge-said", "children"),
        Input("judge-false", "n_clicks"),
        Input("judge-not", "n_clicks"),
        State("judge-incident", "data"),
        State("judge-note", "value"),
        prevent_initial_call=True,
    )
    async def judge(_: int, _not: int, incident: Any, note: str | None) -> Any:
        marked, why = await mark(
            site, str(incident), is_false=ctx.triggered_id == "judge-false", note=(note or "").strip()
        )
        return (no_update, True, why) if marked is None else (history.rows([marked])[0], False, "")

    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("alerts", "marked"),
        Output("judge-about", "title"),
        Input("alerts-marked", "data"),
        prevent_initial_call=True,
    )


async def mark(site: PageContext, alert_id: str, *, is_false: bool, note: str) -> tuple[Incident | None, str]:
    """Return an incident as it is judged now, or None and why the API did not take the judgement."""
    body = {"is_false": is_false, "note": note}
    try:
        response = await site.client.send("POST", f"/v1/incidents/{segment(alert_id)}/mark", json=body)
        if response.is_success:
            return msgspec.json.decode(response.content, type=Incident), ""
    except (TransientError, msgspec.DecodeError) as error:
        return None, str(error)
    wrong = problems.read(response, ("note",))
    return None, " ".join([*wrong.fields.values(), wrong.rest]).strip()
