"""Layout of the overview page before data arrives, and its callbacks."""

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, html
from dash.development.base_component import Component

from services.ui.api import downloads
from services.ui.pages.overview.columns import STATES, TABLE, table
from services.ui.state.page_context import PageContext, attributes
from services.ui.widgets.batched_elements import BatchedRows
from services.ui.widgets.components import cover, page, pane, segmented

ORDER = "The order is renewed every 5 s, and not while the pointer or the keyboard is in the table."
KEYS = "/ filter, ↑ ↓ move, Enter open"


def layout() -> Component:
    """Return the page."""
    find = dmc.TextInput(
        id="overview-filter",
        value="",
        placeholder="Filter pairs",
        size="xs",
        w=150,
        **attributes("aria", label="Filter pairs", keyshortcuts="/"),
    )
    choices = [{"value": name, "label": label} for name, label in STATES.items()]
    tools = [
        html.Span(id="overview-count", className="pane-note num", role="status"),
        html.Span(KEYS, className="pane-note overview-keys", title=ORDER),
        find,
        segmented("overview-state", "State", choices, "all"),
        html.A(
            "Wall",
            id="overview-wall",
            href="/wall",
            className="download inside",
            title="The first 12 rows in big numbers, for a wall",
        ),
        html.A(
            "CSV",
            id="overview-csv",
            className="download",
            download="",
            href=downloads.link("/v1/pairs"),
            title="Save every pair with its settings and its last signal",
        ),
    ]
    said = [
        html.P(id="overview-lines", className="said", role="status"),
    ]
    body = [
        table(),
        BatchedRows(TABLE, keeps_order=True),
        cover("overview-none"),
        cover("overview-empty", "Connecting…"),
    ]
    return page("overview", "Overview", [*said, pane("Pairs", body, "overview", tools)])


def register(app: Dash, site: PageContext) -> None:
    """Add what the page does by itself; the functions are in ``assets/pages/overview.js``."""
    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("overview", "route"),
        Output("overview-filter", "value"),
        Output("overview-state", "value"),
        Output("overview-csv", "href"),
        Input("page-overview", "id"),
    )
    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("overview", "select"),
        Output("overview-none", "className"),
        Input("overview-filter", "value"),
        Input("overview-state", "value"),
    )
