"""Layout of the alerts page before data arrives: thresholds on one side, history on the other."""

from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component

from services.common.errors import BadMessageError, TransientError
from services.ui.pages.alerts import arrivals, bulk, history, marking, thresholds
from services.ui.pages.alerts.history import SNOOZED, STATES, HistoryFilter
from services.ui.state.page_context import PageContext, Selection, attributes
from services.ui.state.role_of_page import for_reader
from services.ui.widgets.components import (
    MOMENT,
    chooser,
    cover,
    download,
    page,
    pane,
    segmented,
    to_delivery,
)

EVERY_PAIR = "All pairs"
EVERY_RULE = "All rules"


def layout() -> Component:
    """Return the page."""
    sound = dmc.Switch(
        id="alert-sound",
        label="Sound",
        checked=False,
        size="xs",
        **attributes("aria", describedby="alert-sound-note"),
    )
    note = html.Span(
        "A tone when an alert fires, in this browser.", id="alert-sound-note", className="unseen"
    )
    aside = html.Div(
        [pane("Thresholds", thresholds.layout(), "thresholds", [note, sound])], className="alerts-aside"
    )
    tools = [
        chooser("alerts-pair", "Pair", 170),
        segmented("alerts-state", "State", _choices(STATES), "all"),
        bulk.parts(),
        to_delivery(),
        download("alerts-csv"),
        html.Div(
            [
                _moment("alerts-from", "From"),
                _moment("alerts-to", "To"),
                chooser("alerts-rule", "Rule", 124),
                segmented("alerts-snoozed", "Snooze", _choices(SNOOZED), "any"),
            ],
            className="alerts-period",
        ),
    ]
    body = [
        history.table(),
        cover("alerts-empty", "Connecting…"),
        *(dcc.Store(id=f"alerts-{name}") for name in ("first", "live", "page", "cursor", "drawn", "marked")),
        marking.dialog(),
        arrivals.dialog(),
    ]
    older = html.Div(
        [
            html.Button("Older alerts", id="alerts-older", n_clicks=0, className="button", hidden=True),
            html.Span(id="alerts-said", className="pane-note", role="status"),
        ],
        className="alerts-foot",
    )
    reader = html.Div(id="alerts-reader", className="fine", role="status")
    listed = html.Div([pane("History", body, "alerts", tools), reader, older], className="alerts-listed")
    whole: Component = page("alerts", "Alerts", [aside, listed])
    whole.className = for_reader(marking.CLASSES)  # type: ignore[attr-defined]  # every component of HTML has it
    return whole


def register(app: Dash, site: PageContext) -> None:
    """Register the page's scripts, in ``assets/pages/alerts.js``, and its requests to the API."""
    thresholds.register(app, site)
    bulk.register(app, site)
    marking.register(app, site)
    arrivals.register(app, site)
    filters = [f"alerts-{name}" for name in ("pair", "rule", "state", "snoozed", "from", "to")]

    def bind_clientside(function: str, *dependencies: Any, **more: Any) -> None:
        app.clientside_callback(  # type: ignore[no-untyped-call]
            ClientsideFunction("alerts", function), *dependencies, **more
        )

    bind_clientside(
        "route",
        *(Output(control, "value") for control in filters),
        Output("alert-sound", "checked"),
        Input("page-alerts", "id"),
        Input("zone-select", "error"),
    )
    bind_clientside(
        "select",
        Output("alerts-empty", "children"),
        Output("alerts-empty", "className"),
        *(Input(control, "value") for control in filters),
    )
    bind_clientside("sound", Output("alert-sound", "error"), Input("alert-sound", "checked"))
    bind_clientside(
        "draw",
        Output("alerts-drawn", "data"),
        *(Input(f"alerts-{name}", "data") for name in ("first", "live", "page")),
        prevent_initial_call=True,
    )

    @app.callback(
        Output("alerts-page", "data"),
        Output("alerts-said", "children"),
        Input("alerts-older", "n_clicks"),
        State("alerts-cursor", "data"),
        State("selection", "data"),
        prevent_initial_call=True,
    )
    async def older(_clicks: int, cursor: str | None, store: Any) -> Any:
        selection = Selection.read(store)
        if selection is None or not cursor:
            return no_update
        try:
            found = await history.page(site, HistoryFilter.read(selection), cursor)
        except (TransientError, BadMessageError) as error:
            return no_update, f"Older alerts cannot be read: {error}"
        data = {
            "turn": selection.asks.get("turn"),
            "rows": history.rows(found.data),
            "cursor": found.next_cursor,
        }
        return data, "" if found.next_cursor else "No older alerts."


def _choices(named: dict[str, str]) -> list[dict[str, str]]:
    return [{"value": name, "label": label} for name, label in named.items()]


def _moment(element: str, label: str) -> Component:
    control: Component = dmc.TextInput(
        id=element,
        size="xs",
        w=196,
        value="",
        debounce=300,
        attributes=MOMENT,
        leftSection=label,
        leftSectionWidth=40,
        **attributes("aria", label=f"{label}, in the time zone of the page"),
    )
    return control
