"""Layout of the market page before data arrives: the symbols, and up to four charts, each of a symbol and interval."""

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from services.contracts import intervals
from services.contracts.intervals import ALL_WIDTHS_US, AnyInterval
from services.ui.api import downloads
from services.ui.charts import lightweight
from services.ui.pages import listed_symbols
from services.ui.pages.market import levels, symbols
from services.ui.state.page_context import PageContext, attributes
from services.ui.widgets.batched_elements import BatchedElement, BatchedRows
from services.ui.widgets.components import chooser, cover, page, pane, segmented
from services.ui.widgets.formatting import NONE

PLACES = ("", "-2", "-3", "-4")
"""What tells the ids of one chart and its controls from those of the next."""
COUNTS = ("1", "2", "4")
USUAL: tuple[AnyInterval, ...] = (intervals.USUAL, "5m", "1s", "1h")
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
    stores = [dcc.Store(id="symbol"), dcc.Store(id="active-chart", data=""), dcc.Store(id="candles-shades")]
    return page("market", "Market", [*stores, left, shown])


def register(app: Dash, site: PageContext) -> None:
    """Add what the page does by itself; the functions are in ``assets/pages/market.js``."""
    listed_symbols.register(app, site)
    levels.register(app, [chart_id(place) for place in PLACES])
    controls = [
        ("charts-select", "value"),
        *((f"interval-select{place}", "value") for place in PLACES),
        *((f"log{place}", "checked") for place in PLACES),
    ]
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
        *(Output(*control) for control in controls),
        Input("page-market", "id"),
    )
    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("market", "select"),
        Output("charts", "className"),
        Input("symbol", "data"),
        Input("active-chart", "data"),
        *(Input(*control) for control in controls),
    )
    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("market", "pick"),
        Output("symbol", "data", allow_duplicate=True),
        *(Input(f"symbol-select{place}", "value") for place in PLACES),
        *(Input(f"symbol-select{place}", "data") for place in PLACES),
        prevent_initial_call=True,
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
    which = f"chart {place.lstrip('-') or '1'}"
    usual = USUAL[PLACES.index(place)]
    logarithmic = dmc.Chip(
        "Log",
        id=f"log{place}",
        checked=False,
        size="xs",
        radius="sm",
        **attributes("aria", label=f"Logarithmic prices of {which}"),
    )
    tools = [
        chooser(f"symbol-select{place}", f"Symbol of {which}", 124),
        segmented(f"interval-select{place}", f"Interval of {which}", tuple(ALL_WIDTHS_US), usual),
        logarithmic,
        _saved(f"candles-csv{place}", "all bars that are loaded here"),
    ]
    body = [
        lightweight.chart(chart_id(place), BAR_SPACING, crosshair=True, double_click=True),
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
            levels.layout(),
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
