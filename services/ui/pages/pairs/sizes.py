"""Panel of the sizes of a hedged position, by the hedge ratio and the prices of the moment it is asked for."""

import asyncio
from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, html, set_props
from dash.development.base_component import Component

from services.common.errors import BadMessageError, TransientError
from services.contracts.messages import Signal
from services.ui.api.types import ListedSymbol, Listing, WatchedPair
from services.ui.charts import measures
from services.ui.pages.pairs.hedge_sizes import HedgeSizes, LegName, LegSize, hedge_sizes
from services.ui.pages.pairs.texts import method_name
from services.ui.state.page_context import PageContext, Props
from services.ui.widgets.components import segmented
from services.ui.widgets.formatting import UTC, moment, number, significant_decimals

USUAL = 10_000
FORMULAS = {
    "price": "On prices, one unit of Y is hedged by the hedge ratio in units of X.",
    "log": "On logarithms, one unit of notional in Y is hedged by the hedge ratio in notional of X.",
}
_SHORT = "To go short the spread, buy what is sold here and sell what is bought."


def layout() -> Component:
    """Return the fields, and room for the sizes."""
    legs = [{"value": "y", "label": "Y"}, {"value": "x", "label": "X"}]
    fields = [
        dmc.NumberInput(
            id="sizes-notional",
            label="Notional of one leg, in quote currency",
            value=USUAL,
            hideControls=True,
            size="xs",
            debounce=300,
        ),
        html.Div([html.Span("Of leg", className="fine"), segmented("sizes-leg", "Leg", legs, "y")]),
    ]
    again = html.Button("Compute with the prices of now", id="sizes-again", n_clicks=0, className="button")
    whole: Component = html.Div(
        [
            html.Div(fields, className="form"),
            html.Div(again, className="form-foot"),
            html.Div(id="sizes-status", className="panel-status", role="status"),
            html.Div(id="sizes-table"),
        ]
    )
    return whole


def register(app: Dash, site: PageContext) -> None:
    """Compute the sizes when the panel is opened, a field changes, or the button is pressed."""

    @app.callback(
        Output("sizes-again", "title"),
        Input("sizes-notional", "value"),
        Input("sizes-leg", "value"),
        Input("sizes-again", "n_clicks"),
        Input("pair-select", "value"),
        Input("side-tabs", "value"),
        State("zone-select", "value"),
        prevent_initial_call=True,
    )
    async def compute(notional: Any, leg: Any, _: int, pair: str | None, tab: str, zone: str | None) -> str:
        if tab == "sizes":
            for element, props in (await answer(site, pair, notional, leg, zone or UTC)).items():
                set_props(element, props)
        return ""


async def answer(site: PageContext, name: str | None, notional: Any, leg: LegName, zone: str) -> Props:
    """Return what the panel shows."""
    pair, seen = (site.market.pairs or {}).get(name or ""), site.market.signals.get(name or "")
    if not isinstance(notional, int | float) or isinstance(notional, bool) or notional <= 0:
        field = f"Expected a notional above 0, received {notional or 'nothing'}."
        return {"sizes-notional": {"error": field}, **_said("", None)}
    fine: Props = {"sizes-notional": {"error": ""}}
    if pair is None or seen is None:
        return fine | _said("Not known: the pair has no signal yet.", None)
    signal = seen.message
    if signal.hedge_ratio is None or signal.quality != "ok":
        why = signal.reason or signal.quality
        return fine | _said(f"Not computed: the pair has no hedge ratio to rely on now ({why}).", None)
    steps = await asyncio.gather(*(_step(site, symbol) for symbol in (pair.y, pair.x)))
    try:
        found = hedge_sizes(
            notional,
            leg,
            (signal.y_price, signal.x_price),
            signal.hedge_ratio,
            pair.transform,
            (steps[0], steps[1]),
        )
    except ValueError as error:
        return fine | _said(f"Not computed: {error}.", None)
    return fine | _said(_source(pair, signal, zone), _table(pair, signal, found))


async def _step(site: PageContext, symbol: str) -> float | None:
    """Return the step of sizes that the venue lists, None where it is not known."""
    try:
        listed = await site.client.read(
            "/v1/symbols", Listing[ListedSymbol], listed=True, search=symbol, limit=20
        )
    except (TransientError, BadMessageError):
        return None
    return next((one.size_step for one in listed.data if one.symbol == symbol), None)


def _said(text: str, table: Component | None) -> Props:
    return {"sizes-status": {"children": text}, "sizes-table": {"children": table or ""}}


def _source(pair: WatchedPair, signal: Signal, zone: str) -> str:
    ratio = measures.HEDGE_RATIO.text(signal.hedge_ratio)
    how = f"{method_name(signal.method)}, window {signal.window}"
    return f"Hedge ratio {ratio} ({how}) and prices of {moment(signal.event_us, zone)}. {FORMULAS[pair.transform]}"


def _table(pair: WatchedPair, signal: Signal, found: HedgeSizes) -> Component:
    head = html.Tr([html.Th(text, scope="col") for text in ("Long the spread", "Units", "Notional", "Price")])
    rows = [
        html.Tr(
            [
                html.Th(f"{'Buy' if leg.exact > 0 else 'Sell'} {symbol}", scope="row"),
                html.Td(_units(leg), className="num"),
                html.Td(number(abs(leg.notional), 2), className="num"),
                html.Td(f"{price:g}", className="num"),
            ]
        )
        for symbol, leg, price in ((pair.y, found.y, signal.y_price), (pair.x, found.x, signal.x_price))
    ]
    table = html.Table([html.Thead(head), html.Tbody(rows)], className="work-steps")
    unknown = [symbol for symbol, leg in ((pair.y, found.y), (pair.x, found.x)) if not leg.is_rounded]
    notes = [_rounding(found), *([f"Step not known, not rounded: {', '.join(unknown)}."] if unknown else [])]
    whole: Component = html.Div(
        [table, html.P(" ".join(filter(None, notes))), html.P(_SHORT, className="fine")]
    )
    return whole


def _units(leg: LegSize) -> str:
    units = abs(leg.units)
    return f"{units:.12g}" if leg.is_rounded else number(units, significant_decimals(units, 6))


def _rounding(found: HedgeSizes) -> str:
    if not (found.y.is_rounded or found.x.is_rounded):
        return ""
    if found.ratio is None or found.x.units == 0:
        return "Less than one step of a leg: nothing is hedged. Choose a larger notional."
    return f"Rounded down to the venue's steps; the ratio is then {measures.HEDGE_RATIO.text(found.ratio)}."
