"""Alert actions, acknowledge and snooze, and the text of an alert on every page."""

from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component

from services.common.errors import TransientError
from services.ui.alerts.wording import AnyAlert
from services.ui.api import problems
from services.ui.api.client import segment
from services.ui.api.roles import why_reader
from services.ui.api.types import HandledAlert
from services.ui.state.page_context import PageContext, attributes
from services.ui.widgets import reversion_text
from services.ui.widgets.formatting import number

SNOOZES = (("15 min", 900), ("1 h", 3600), ("4 h", 14_400), ("1 d", 86_400))
RETRACTED = "Late trades changed this second, or its window"
UNITS = (("minutes", 60), ("hours", 3600), ("days", 86_400))


def parts() -> list[Component]:
    """Return what every page holds for it; what buttons ask is collected by ``assets/pages/alerts.js``."""
    fields = html.Div(
        [
            dmc.NumberInput(id="snooze-count", label="Snooze for", value=2, min=0, size="xs"),
            dmc.Select(
                id="snooze-unit",
                label="Unit",
                data=[{"value": str(seconds), "label": name} for name, seconds in UNITS],
                value=str(UNITS[1][1]),
                allowDeselect=False,
                size="xs",
            ),
        ],
        className="snooze-fields",
    )
    said = html.Div(id="snooze-said", className="snooze-said", role="alert")
    ask = html.Button("Snooze", id="snooze-do", n_clicks=0, className="button")
    modal = dmc.Modal(
        [html.Div(id="snooze-about", className="snooze-about"), fields, said, ask],
        id="snooze",
        title="Snooze this alert",
        size="sm",
        centered=True,
        closeButtonProps={"aria-label": "Close"},
    )
    stores = ("alert-asked", "alert-called", "alert-heard", "snooze-alert", "reader", "reader-told")
    return [*(dcc.Store(id=store) for store in stores), modal]


def leg_ages(alert: AnyAlert) -> str:
    """Return how old the prices of both legs were, empty if that is not known."""
    if alert.y_age_s is None or alert.x_age_s is None:
        return ""
    return f"prices {number(alert.y_age_s, 1)} s and {number(alert.x_age_s, 1)} s old"


def reversion_words(alert: AnyAlert) -> str:
    """Return whether the spread was seen to revert, and what that means; empty if that is not known."""
    return ": ".join(filter(None, (alert.reversion, reversion_text.meaning(alert.reversion))))


def message(alert: AnyAlert) -> str:
    """Return the text of an alert, without the text on the mean reversion beside it."""
    return alert.message.removesuffix(f", reversion {alert.reversion}")


def actions(alert: HandledAlert) -> Component:
    """Return the buttons of a toast."""
    snoozes = [_button(label, alert, "snooze", str(seconds)) for label, seconds in SNOOZES]
    return html.Div(
        [
            _button("Acknowledge", alert, "ack"),
            html.Span(
                ["Snooze", *snoozes, _button("Other…", alert, "other")], className="alert-snoozes for-writers"
            ),
        ],
        className="alert-actions",
    )


def acknowledge(alert: HandledAlert) -> Component:
    """Return the button that acknowledges an alert."""
    return _button("Acknowledge", alert, "ack")


def register(app: Dash, site: PageContext) -> None:
    """Do what the buttons ask, and say at them what the API has against it; who may only read sees none."""

    @app.callback(Output("reader", "data"), Input("toasts", "id"))
    async def opened(_: str) -> str:
        return await why_reader(site.client)

    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("alerts", "reader"), Output("reader-told", "data"), Input("reader", "data")
    )

    @app.callback(
        Output("toasts", "sendNotifications", allow_duplicate=True),
        Input("alert-asked", "data"),
        prevent_initial_call=True,
    )
    async def handle(asked: Any) -> Any:
        alert_id, does = str(asked["alert"]), asked["does"]
        why = await post(site, alert_id, does, None if does == "ack" else float(asked["for_s"]))
        if not why:
            return no_update
        return [_refusal(alert_id, "Not acknowledged" if does == "ack" else "Not snoozed", why)]

    @app.callback(
        Output("snooze", "opened"),
        Output("snooze-said", "children"),
        Input("snooze-do", "n_clicks"),
        State("snooze-alert", "data"),
        State("snooze-count", "value"),
        State("snooze-unit", "value"),
        prevent_initial_call=True,
    )
    async def snooze(_clicks: int, alert: Any, count: Any, unit: str) -> tuple[bool, str]:
        if not isinstance(count, int | float):
            return True, "Expected a number."
        why = await post(site, str(alert["alert"]), "snooze", float(count) * int(unit))
        return bool(why), why

    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("alerts", "hear"),
        Output("alert-heard", "data"),
        Input("alert-called", "data"),
        prevent_initial_call=True,
    )


def _refusal(alert_id: str, what: str, why: str) -> dict[str, Any]:
    """Return the toast that says why something was not done about an alert."""
    return {
        "action": "show",
        "id": f"{alert_id}:refused",
        "title": what,
        "message": why,
        "color": "var(--warn)",
        "autoClose": False,
        "className": "toast is-refusal",
        "closeButtonProps": {"aria-label": "Close"},
    }


async def post(site: PageContext, alert_id: str, does: str, for_s: float | None) -> str:
    """Return why the API did not do it, empty if it did; what has changed comes through the stream."""
    body = {} if for_s is None else {"json": {"for_s": for_s}}
    try:
        response = await site.client.send("POST", f"/v1/alerts/{segment(alert_id)}/{does}", **body)
    except TransientError as error:
        return str(error)
    if response.is_success:
        return ""
    wrong = problems.read(response, ("for_s",))
    return " ".join([*wrong.fields.values(), wrong.rest]).strip()


def _button(label: str, alert: HandledAlert, does: str, for_s: str = "") -> Component:
    what = f"{label} the alert of {alert.subject}" if does == "ack" else f"Snooze {alert.subject}: {label}"
    button: Component = html.Button(
        label,
        className="action for-writers",
        **attributes("aria", label=what),
        **attributes("data", alert=alert.alert_id, does=does, subject=alert.subject, **{"for": for_s}),
    )
    return button
