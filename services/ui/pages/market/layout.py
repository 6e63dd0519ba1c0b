"""Layout of the market page before data arrives: the symbols, and up to four charts of one of them."""

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from services.contracts import intervals
from services.contracts.intervals import INTERVALS, Interval
from services.ui.api import downloads
from services.ui.charts import lightweight
from services.ui.pages import listed_symbols
from services.ui.pages.market import symbols
from services.ui.state.page_context import PageContext, attributes
from services.ui.widgets.batched_elements import BatchedElement, BatchedRows
from services.ui.widgets.components import cover, page, pane, segmented
from services.ui.widgets.formatting import NONE

PLACES = ("", "-2", "-3", "-4")
"""What tells the ids of one chart and its controls from those of the next."""
COUNTS = ("1", "2", "4")
USUAL: tuple[Interval, ...] = (intervals.USUAL, "5m", "1s", "1h")
BAR_SPACING = 7


def chart_id(place: str) -> str:
    """Return the id of the chart in this place."""
    return f"chart-candles{place}"


def layout() -> Component:
    """Return the page."""
    find = dmc.TextInput(
        id="symbol-filter",
        placeholder="Find a symbol",
        size="xs",
        w=130,
        display="none",
        **attributes("aria", label="Find a symbol"),
    )
    symbols_pane = pane(
        "Symbols",
        [symbols.table(), BatchedRows("symbols-table")],
        "symbols",
        [find, _saved("symbols-csv", "the table", downloads.link("/v1/symbols"))],
    )
    left = html.Div([listed_symbols.layout(), symbols_pane], className="market-listed")
    grid = html.Div([_chart(place) for place in PLACES], id="charts", className="charts of-1")
    shown = html.Div([_quote(), grid], className="market-shown")
    return page("market", "Market", [dcc.Store(id="symbol"), dcc.Store(id="candles-shades"), left, shown])


def register(app: Dash, site: PageContext) -> None:
    """Add what the page does by itself; the functions are in ``assets/pages/market.js``."""
    listed_symbols.register(app, site)
    controls = ("charts-select", *(f"interval-select{place}" for place in PLACES))
    for place in PLACES:
        lightweight.paint(app, chart_id(place))
        app.clientside_callback(  # type: ignore[no-untyped-call]
            ClientsideFunction("market", "legend"),
            Output(f"legend-hover{place}", "children"),
            Input(chart_id(place), "crosshair"),
        )
        app.clientside_callback(  # type: ignore[no-untyped-call]
            ClientsideFunction("market", "to_now"),
            Output(chart_id(place), "visibleLogicalRange"),
            Input(f"to-now{place}", "n_clicks"),
            State(chart_id(place), "visibleLogicalRange"),
            State(chart_id(place), "barsInLogicalRange"),
            prevent_initial_call=True,
        )
    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("market", "route"),
        Output("symbol", "data"),
        Output("symbol-filter", "value"),
        *(Output(control, "value") for control in controls),
        Input("page-market", "id"),
    )
    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("market", "select"),
        Output("charts", "className"),
        Input("symbol", "data"),
        *(Input(control, "value") for control in controls),
    )
    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("market", "shade"),
        *(Output(chart_id(place), "series") for place in PLACES),
        Input("candles-shades", "data"),
        *(State(chart_id(place), "series") for place in PLACES),
    )
    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("market", "filter"),
        Output("symbol-filter", "error"),
        Input("symbol-filter", "value"),
    )


def _chart(place: str) -> Component:
    which = f"Interval of chart {place.lstrip('-') or '1'}"
    usual = USUAL[PLACES.index(place)]
    tools = [
        segmented(f"interval-select{place}", which, INTERVALS, usual),
        _saved(f"candles-csv{place}", "all bars that are loaded here"),
    ]
    body = [
        lightweight.chart(chart_id(place), BAR_SPACING, crosshair=True),
        html.Div(id=f"legend-bar{place}", className="legend num"),
        html.Div(id=f"legend-hover{place}", className="legend is-hover num"),
        html.Div(id=f"older{place}", className="older", role="status"),
        html.Button("To now", id=f"to-now{place}", n_clicks=0, className="button to-now"),
        cover(f"candles-empty{place}", "Connecting…"),
    ]
    return pane("Candles", body, f"candles{place}", tools)


def _quote() -> Component:
    quote = [
        html.B(NONE, id="quote-symbol", className="quote-symbol"),
        html.Span(id="quote-price", className="quote-price num"),
        html.Span(id="quote-change", className="num"),
        html.Span(id="quote-age", className="late num"),
    ]
    return html.Div(
        [
            BatchedElement("quote", html.Span(quote, className="quote-now")),
            html.Span(className="gap"),
            html.Span("Charts", className="pane-note"),
            segmented("charts-select", "How many charts", COUNTS, COUNTS[0]),
        ],
        className="quote",
    )


def _saved(element: str, what: str, href: str = "") -> Component:
    link: Component = html.A(
        "CSV", id=element, className="download", download="", href=href, title=f"Save {what} as CSV"
    )
    return link
