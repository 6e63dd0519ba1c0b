"""Horizontal levels that a reader draws on the charts of a symbol, and the panel that lists them."""

import math
from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from services.ui.charts import palette
from services.ui.charts.lightweight import DASHED
from services.ui.state.page_context import Selection, attributes

MOST = 20
"""Levels of one symbol that are drawn; the script keeps no more."""


def layout() -> Component:
    """Return the panel, closed: a field for a price, and the levels of the symbol of the active chart."""
    price = dmc.TextInput(
        id="level-price",
        size="xs",
        w=120,
        value="",
        placeholder="Price",
        attributes={"input": {"inputMode": "decimal"}},
        **attributes("aria", label="Price of a new level"),
    )
    add = html.Button("Add level", id="level-add", n_clicks=0, className="button", type="button")
    panel = html.Div(
        [
            html.Div(id="level-of", className="fine"),
            html.Div([price, add], className="level-new"),
            html.Ul(id="level-list"),
            html.Div("A double-click on a chart adds a level there.", className="fine"),
        ],
        className="levels-panel",
    )
    closed: Component = html.Details(
        [html.Summary("Levels", id="levels-summary"), panel, dcc.Store(id="level-removed")],
        id="levels",
        className="levels",
    )
    return closed


def register(app: Dash, charts: list[str]) -> None:
    """Add, remove and list levels; the functions are in ``assets/pages/market_levels.js``."""
    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("market_levels", "change"),
        Output("level-of", "children"),
        Output("level-list", "children"),
        Output("levels-summary", "children"),
        Output("level-price", "error"),
        Output("level-price", "value"),
        Input("symbol", "data"),
        Input("active-chart", "data"),
        Input("level-add", "n_clicks"),
        Input("level-price", "n_submit"),
        Input("level-removed", "data"),
        *(Input(chart, "dblClick") for chart in charts),
        State("level-price", "value"),
    )


def of(selection: Selection, symbol: str) -> tuple[float, ...]:
    """Return the prices of the levels of `symbol`, as far as they are prices."""
    said = selection.asks.get("levels")
    prices = said.get(symbol) if isinstance(said, dict) else None
    known = prices if isinstance(prices, list) else []
    return tuple(
        float(one) for one in known if isinstance(one, int | float) and math.isfinite(one) and one > 0
    )[:MOST]


def lines(prices: tuple[float, ...]) -> list[dict[str, Any]]:
    """Return the price lines of levels."""
    style = {
        "color": palette.LEVEL,
        "lineWidth": 1,
        "lineStyle": DASHED,
        "axisLabelColor": palette.LEVEL_LABEL,
    }
    return [{**style, "price": price} for price in prices]
