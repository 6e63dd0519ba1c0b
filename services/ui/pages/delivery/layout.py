"""Layout of the delivery page before data arrives: targets and the log on one side, the form on the other."""

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from services.ui.pages.delivery import log, targets
from services.ui.state.page_context import attributes
from services.ui.state.role_of_page import for_reader
from services.ui.widgets.batched_elements import BatchedRows
from services.ui.widgets.components import chooser, code, cover, download, page, pane, segmented, table

CLASSES = "page-main is-delivery is-rules"
NEW = "New target"
REPLAYED = ("dead", "skipped", "delivered")
ONCE = "Its secret, shown this once: whoever receives needs it to check the signature."


def layout() -> Component:
    """Return the page; without buttons, until it is known that the reader may write."""
    new = html.Button(NEW, id="target-new", n_clicks=0, className="button for-writers")
    choice = {"mode": "singleRow", "checkboxes": False, "enableClickSelection": True}
    listed = [
        table(targets.TABLE, targets.COLUMNS, "No target.", rowSelection=choice, tooltipShowDelay=300),
        BatchedRows(targets.TABLE),
        cover("targets-empty", "Connecting…"),
    ]
    aside = html.Div([pane("Targets", listed, "targets", [new]), _log()], className="rules-listed")
    whole: Component = page("delivery", "Delivery", [aside, pane(NEW, _form(), "target")])
    whole.className = for_reader(CLASSES)  # type: ignore[attr-defined]  # every component of HTML has it
    return whole


def _log() -> Component:
    tools = [
        html.Span(id="log-alert", className="pane-note"),
        chooser("log-target", "Target", 130),
        segmented("log-state", "State", list(log.STATES), "all"),
        _moment("log-from", "From"),
        _moment("log-to", "To"),
        download("log-csv"),
    ]
    body = [
        table(log.TABLE, log.COLUMNS, "No delivery.", tooltipShowDelay=300),
        BatchedRows(log.TABLE),
        cover("deliveries-empty", "Connecting…"),
    ]
    return pane("Delivery log", body, "log", tools)


def _form() -> Component:
    buttons = [
        html.Button("Save", id="target-save", n_clicks=0, className="button is-first"),
        html.Button("Send a test", id="target-test", n_clicks=0, className="button", disabled=True),
        html.Button("Pause", id="target-pause", n_clicks=0, className="button", disabled=True),
        html.Button("New secret", id="target-rotate", n_clicks=0, className="button", disabled=True),
        html.Button("Remove…", id="target-remove", n_clicks=0, className="button", disabled=True),
    ]
    secret = html.Div(
        [html.Div(ONCE, className="fine"), code("Secret", element="target-secret")],
        id="target-secret-box",
        hidden=True,
    )
    form: Component = html.Div(
        [
            html.Div(targets.controls(), className="form target-form"),
            html.Div(id="target-about", className="fine"),
            html.Div(id="delivery-reader", className="fine", role="status"),
            html.Div(buttons, className="form-foot for-writers"),
            html.Div(id="target-status", className="panel-status", role="status"),
            secret,
            _replay(),
            dcc.Store(id="target-stored"),
            dcc.Store(id="target-wanted"),
            _confirm(),
        ],
        className="rule-form",
    )
    return form


def _replay() -> Component:
    states = dmc.MultiSelect(
        id="replay-states",
        label="In these states",
        data=list(REPLAYED),
        value=list(REPLAYED[:2]),
        size="xs",
    )
    again = html.Button("Replay", id="replay-do", n_clicks=0, className="button")
    controls = [_local("replay-from", "Made from"), _local("replay-to", "To, empty for now"), states]
    whole: Component = html.Div(
        [
            html.H4("Make deliveries again", className="part-title"),
            html.Div(controls, className="form"),
            html.Div(again, className="form-foot"),
        ],
        id="target-replay",
        className="for-writers",
        hidden=True,
    )
    return whole


def _local(element: str, label: str) -> Component:
    control: Component = dmc.TextInput(
        id=element, label=label, value="", size="xs", attributes={"input": {"type": "datetime-local"}}
    )
    return control


def _moment(element: str, label: str) -> Component:
    control: Component = dmc.TextInput(
        id=element,
        size="xs",
        w=196,
        value="",
        debounce=300,
        attributes={"input": {"type": "datetime-local"}},
        leftSection=label,
        leftSectionWidth=40,
        **attributes("aria", label=f"{label}, in the time zone of the page"),
    )
    return control


def _confirm() -> Component:
    buttons = [
        html.Button("Keep it", id="target-keep", n_clicks=0, className="button"),
        html.Button("Remove it", id="target-remove-do", n_clicks=0, className="button is-last"),
    ]
    dialog: Component = dmc.Modal(
        [
            html.P(id="target-remove-what"),
            html.P("What still waits for it is skipped; its log stays."),
            html.Div(buttons, className="form-foot"),
        ],
        id="target-confirm",
        title="Remove this target?",
        centered=True,
        closeButtonProps=attributes("aria", label="Close"),
    )
    return dialog
