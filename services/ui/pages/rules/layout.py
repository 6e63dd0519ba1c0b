"""Layout of the rules page before data arrives: rules and silences on one side, the form on the other."""

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from services.ui.alerts.actions import SNOOZES
from services.ui.pages.rules import form, listing, options, preview, silences, sliders
from services.ui.state.page_context import attributes
from services.ui.state.role_of_page import for_reader
from services.ui.widgets.batched_elements import BatchedRows
from services.ui.widgets.components import cover, page, pane, table, to_delivery

CLASSES = "page-main is-rules"
NEW = "New rule"
EVERY_PAIR = "All of its pairs"
ENDS = "What is open of it ends; its alerts so far stay. A built-in rule that was changed is again as it was at first."


def layout() -> Component:
    """Return the page; without buttons, until it is known that the reader may write."""
    new = html.Button(NEW, id="rule-new", n_clicks=0, className="button for-writers")
    choice = {"mode": "singleRow", "checkboxes": False, "enableClickSelection": True}
    listed = [
        table(listing.TABLE, listing.COLUMNS, "No rule.", rowSelection=choice, tooltipShowDelay=300),
        BatchedRows(listing.TABLE),
        cover("rules-empty", "Connecting…"),
    ]
    aside = html.Div(
        [pane("Rules", listed, "rules", [to_delivery(), new]), silences.layout()], className="rules-listed"
    )
    body = html.Div(
        [
            html.Div(form.controls(), className="form"),
            sliders.layout(),
            options.layout(form.HINT),
            html.Div(id="rule-unshown", className="fine"),
            html.Div(id="rules-reader", className="fine", role="status"),
            html.Div(
                [
                    html.Button("Save", id="rule-save", n_clicks=0, className="button is-first"),
                    html.Button("Pause", id="rule-pause", n_clicks=0, className="button", disabled=True),
                    html.Button("Remove…", id="rule-remove", n_clicks=0, className="button", disabled=True),
                ],
                className="form-foot for-writers",
            ),
            _snooze(),
            html.Div(id="rule-status", className="panel-status", role="status"),
            *_trial(),
            html.Div(id="rule-record", className="rule-record"),
            *(dcc.Store(id=f"rule-{name}") for name in ("stored", "wanted", "asks", "bounds", "slid")),
            _confirm(),
        ],
        className="rule-form",
    )
    whole: Component = page("rules", "Rules", [aside, pane(NEW, body, "rule")])
    whole.className = for_reader(CLASSES)  # type: ignore[attr-defined]  # every component of HTML has it
    return whole


def _snooze() -> Component:
    """Return what silences the rule that is stored, hidden while there is none."""
    buttons = [
        html.Button(label, id=f"rule-snooze-{seconds}", n_clicks=0, className="action")
        for label, seconds in SNOOZES
    ]
    end = html.Button("End the snooze", id="rule-snooze-0", n_clicks=0, className="action")
    told = html.Span(id="rule-snoozed", role="status")
    whole: Component = html.Div(
        ["Snooze", *buttons, end, told], id="rule-snoozes", className="alert-snoozes for-writers", hidden=True
    )
    return whole


def _trial() -> list[Component]:
    pair = dmc.Select(
        id="rule-pair",
        data=[{"value": "", "label": EVERY_PAIR}],
        value="",
        allowDeselect=False,
        searchable=True,
        size="xs",
        **attributes("aria", label="Try it on"),
    )
    at = dmc.TextInput(
        id="rule-at",
        label="Why did it not fire at",
        value="",
        size="xs",
        debounce=300,
        attributes={"input": {"type": "datetime-local", "step": 1}},
    )
    head = html.Div(
        [html.H4("Trial over the last hour", className="part-title"), pair], className="trial-head"
    )
    why = html.Div(html.Ul(id="rule-why", className="rule-firings num"), role="status")
    return [
        head,
        html.Div(id="rule-tried", role="status"),
        preview.layout(),
        html.Ul(id="rule-firings", className="rule-firings num"),
        html.Div([at, why], className="form rule-asked"),
    ]


def _confirm() -> Component:
    buttons = [
        html.Button("Keep it", id="rule-keep", n_clicks=0, className="button"),
        html.Button("Remove it", id="rule-remove-do", n_clicks=0, className="button is-last"),
    ]
    dialog: Component = dmc.Modal(
        [html.P(id="rule-remove-what"), html.P(ENDS), html.Div(buttons, className="form-foot")],
        id="rule-confirm",
        title="Remove this rule?",
        centered=True,
        closeButtonProps=attributes("aria", label="Close"),
    )
    return dialog
