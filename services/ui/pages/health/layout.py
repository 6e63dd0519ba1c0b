"""Layout of the health page before data arrives: pipeline, tapes and delivery of symbols, gaps."""

from dash import ClientsideFunction, Dash, Input, Output, html
from dash.development.base_component import Component

from services.ui.pages.health import delivery, gaps, losses, tapes
from services.ui.state.page_context import PageContext, attributes
from services.ui.widgets.batched_elements import BatchedElement, BatchedRows
from services.ui.widgets.components import chooser, download, page, pane, segmented


def layout() -> Component:
    """Return the page."""
    feed = html.P(
        [html.B(id="health-feed"), html.Span(id="health-meaning"), html.Span(id="health-left-out")],
        className="health-feed",
    )
    stations = html.Ol(
        html.Li("Connecting…", className="station is-unknown"),
        id="stations",
        className="stations",
        **attributes("aria", label="Path of a trade, from the exchange to this page"),
    )
    choices = [{"value": value, "label": label} for value, label in gaps.CHOICES.items()]
    tools = [
        html.Span(id="gaps-said", className="pane-note", role="status"),
        segmented("gaps-state", "Which gaps", choices, "all"),
        chooser("gaps-symbol", "Gaps of which symbol", 150),
        download("gaps-csv"),
    ]
    save = html.Button("CSV", id="tapes-csv", className="download", title="Save the table as CSV", n_clicks=0)
    late = html.Span("delivery lag of the last minute", className="pane-note")
    return page(
        "health",
        "Health",
        [
            BatchedElement(
                "pipeline",
                html.Section(
                    [feed, stations], className="health-map", **attributes("aria", label="Pipeline")
                ),
            ),
            *losses.parts(),
            html.Div(
                [
                    pane("Tape of each symbol", [tapes.table(), BatchedRows("tapes-table")], "tapes", [save]),
                    pane("Delivery lag", [delivery.table(), BatchedRows(delivery.TABLE)], "delivery", [late]),
                ],
                className="symbol-panes",
            ),
            pane("Gaps", gaps.table(), "gaps", tools),
        ],
    )


def register(app: Dash, site: PageContext) -> None:
    """Add what the page does by itself; the functions are in ``assets/pages/health.js``."""

    def bind_clientside(function: str, *dependencies: Input | Output) -> None:
        app.clientside_callback(ClientsideFunction("health", function), *dependencies)  # type: ignore[no-untyped-call]

    bind_clientside(
        "route", Output("gaps-state", "value"), Output("gaps-symbol", "value"), Input("page-health", "id")
    )
    bind_clientside(
        "select", Output("gaps-symbol", "error"), Input("gaps-state", "value"), Input("gaps-symbol", "value")
    )
    bind_clientside("save", Output("tapes-csv", "title"), Input("tapes-csv", "n_clicks"))
    losses.register(app, site)
