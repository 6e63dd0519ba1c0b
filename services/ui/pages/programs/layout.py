"""Layout of the programs page: the API's address, then examples, routes and topics, filled in by the view."""

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, html
from dash.development.base_component import Component

from services.ui.state.page_context import PageContext, attributes
from services.ui.widgets.components import page

SECTIONS = {"examples": "Examples in Python", "routes": "Routes of the API", "topics": "Topics"}


def layout() -> Component:
    """Return the page."""
    address = html.Div(
        [
            _field("programs-api", "Address of the API", "http://127.0.0.1:8000", 260),
            _field("programs-brokers", "Brokers", "127.0.0.1:9092", 200),
            html.A("/docs", id="programs-docs", target="_blank", rel="noopener", className="download"),
            html.A(
                "/openapi.json", id="programs-openapi", target="_blank", rel="noopener", className="download"
            ),
        ],
        className="programs-address",
    )
    notes = html.P(
        "The addresses are those this dashboard uses. Change them, and every example follows. If the API needs a key, "
        "send the header Authorization: Bearer KEY.",
        className="programs-note",
    )
    links = html.Nav(
        [html.A(title, href=f"#{name}", className="download") for name, title in SECTIONS.items()],
        className="programs-nav",
        **attributes("aria", label="On this page"),
    )
    sections = [
        html.Section(
            [html.H3(title), html.Div("Connecting…", id=f"programs-{name}", className="programs-body")],
            id=name,
            className="programs-section",
        )
        for name, title in SECTIONS.items()
    ]
    said = html.Div(id="copied", className="unseen", role="status")
    return page(
        "programs", "For programs", [html.Div([address, notes, links, *sections, said], className="programs")]
    )


def register(app: Dash, _site: PageContext) -> None:
    """Add what the page does by itself; the functions are in ``assets/pages/programs.js``."""

    def bind_clientside(function: str, *dependencies: Input | Output) -> None:
        app.clientside_callback(ClientsideFunction("programs", function), *dependencies)  # type: ignore[no-untyped-call]

    fields = ("programs-api", "programs-brokers")
    bind_clientside("route", *(Output(name, "value") for name in fields), Input("page-programs", "id"))
    bind_clientside("select", Output("copied", "children"), *(Input(name, "value") for name in fields))


def _field(element: str, label: str, placeholder: str, width: int) -> Component:
    field: Component = dmc.TextInput(
        id=element, label=label, placeholder=placeholder, size="xs", w=width, debounce=400
    )
    return field
