"""A moment or a range of the past of a pair, in the place of its present: numbers, window, chart and trades."""

from collections.abc import AsyncGenerator, Sequence
from typing import Any, NamedTuple

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, set_props
from dash.development.base_component import Component

from services.common.clock import SECOND, to_iso
from services.common.errors import TransientError
from services.contracts.messages import Signal, Tick
from services.ui.api.client import ApiRefusedError, segment
from services.ui.api.types import Listing, SignalWork, WatchedPair
from services.ui.charts import lightweight
from services.ui.pages.pairs import spans
from services.ui.pages.pairs.lines import PANES, SHARES, Canvas, tops
from services.ui.pages.pairs.metrics import DRAWN, METRICS
from services.ui.pages.pairs.spans import ChartSpan
from services.ui.series import day
from services.ui.state.page_context import PageContext, Props, attributes
from services.ui.widgets import query_panel
from services.ui.widgets.components import MOMENT, pane
from services.ui.widgets.formatting import NONE, UTC, moment, number, period, quantity

CHART = "chart-past"
NOW = "pairs-now"
_BAR_SPACING = 1.1
# Signals up to the moment, half an hour of seconds, and those in view at first.
_SIGNALS, _IN_VIEW = 1_800, 600
# Seconds of a range that are drawn as they are; of a longer one the extremes of each minute.
_SECONDS = 10_000
LONGEST_S = 86_400
_TRADES_US = 10 * SECOND
_TRADES = 15
_TIMEOUT_S = 60.0
AWAY = "past is-away"
_TITLES = {"prices": "Prices", **{metric.name: metric.measure.label for metric in DRAWN.values()}}


class WorkQuery(NamedTuple):
    """Route of the work of one second."""

    path: str
    params: dict[str, Any]


def controls() -> list[Component]:
    """Return the fields of a range, of which the begin may be left out, and what goes there."""
    fields = [
        dmc.TextInput(
            id=f"past-{name}",
            size="xs",
            w=184,
            value="",
            attributes=MOMENT,
            leftSection=label,
            leftSectionWidth=40,
            **attributes("aria", label=f"{label}, in the time zone of the page"),
        )
        for name, label in (("from", "From"), ("at", "To"))
    ]
    look = html.Button("Look at the past", id="past-look", n_clicks=0, className="button")
    return [html.Span([*fields, look], className="past-controls")]


def from_work() -> Component:
    """Return the button of the window of one second's work that goes to its moment."""
    button: Component = html.Button(
        "Look at this moment", id="past-from-work", n_clicks=0, className="button", type="button"
    )
    return button


def layout() -> Component:
    """Return what takes the place of the present, out of sight."""
    back = html.Button("To now", id="past-back", n_clicks=0, className="button is-primary")
    shares = [SHARES[one] for one in PANES]
    labels = [
        html.Div(html.B(_TITLES[one]), className="pane-label", style={"--top": str(top)})
        for one, top in tops(PANES).items()
    ]
    chart = html.Div(lightweight.chart(CHART, _BAR_SPACING, shares, click=True), className="past-chart")
    side = [html.Div(id="past-numbers"), html.Div(id="past-trades")]
    body = html.Div(
        [
            html.Div(id="past-status", className="panel-status", role="status"),
            html.Div([html.Div([chart, *labels], id="past-drawn"), html.Div(side, id="past-side")]),
        ],
        className="past-body",
    )
    whole: Component = html.Div(
        [dcc.Store(id="past-asks"), dcc.Store(id="past-done"), pane("The past", body, "past", [back])],
        id="past",
        className=AWAY,
    )
    return whole


def register(app: Dash, site: PageContext) -> None:
    """Show the moment that the field, the chart or the work of a second names, and the present again."""
    lightweight.paint(app, CHART)
    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("pairs_past", "ask"),
        Output("past-asks", "data"),
        Output("work", "opened", allow_duplicate=True),
        Input("past-look", "n_clicks"),
        Input("past-from-work", "n_clicks"),
        Input(CHART, "click"),
        Input("pair-select", "value"),
        State("past-from", "value"),
        State("past-at", "value"),
        State("work-asks", "data"),
        State("zone-select", "value"),
        State("past", "className"),
        prevent_initial_call=True,
    )
    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("pairs_past", "show"),
        Output("past", "className"),
        Output(NOW, "className"),
        Input("past-asks", "data"),
        Input("past-back", "n_clicks"),
        prevent_initial_call=True,
    )

    @app.callback(Output("past-done", "data"), Input("past-asks", "data"), prevent_initial_call=True)
    async def ask(asks: dict[str, Any] | None) -> Any:
        if asks:
            async for shown in answers(site, asks):
                for element, props in shown.items():
                    set_props(element, props)
        return asks


async def answers(site: PageContext, asks: dict[str, Any]) -> AsyncGenerator[Props]:
    """Ask the API for the moment `asks["at_us"]` (epoch), and yield what is shown of it; its window comes later.

    The chart begins at `asks["from_us"]`, or where that is None half an hour before.
    """
    at_us, zone = int(asks["at_us"]), asks.get("zone") or UTC
    from_us = None if asks.get("from_us") is None else int(asks["from_us"])
    name = str(asks["pair"])
    when = (
        f"at {moment(at_us, zone)}"
        if from_us is None
        else f"from {moment(from_us, zone)} to {moment(at_us, zone)}"
    )
    title = {"past-title": {"children": f"{name} {when}: the past, not now"}}
    pair = (site.market.pairs or {}).get(name)
    if pair is None:
        yield title | _nothing(f"{name} is not watched.")
        return
    try:
        signals, span = await _signals(site, name, from_us, at_us)
        if not signals:
            stored = f"from before {moment(at_us, zone)}" if from_us is None else when
            yield title | _nothing(f"No signal of {name} is stored {stored}.")
            return
        trades = [await _trades(site, symbol, at_us, zone) for symbol in (pair.y, pair.x)]
    except (TransientError, ApiRefusedError) as error:
        yield title | _nothing(str(error))
        return
    last = signals[-1]
    said = (
        ""
        if last.event_us > at_us - SECOND
        else f"Its last signal before is of {moment(last.event_us, zone)}. "
    )
    yield title | {
        "past-status": {"children": f"{said}Working out its window\u2026", "className": "panel-status"},
        CHART: _drawn(site, pair, signals, span, len(signals) if from_us else _IN_VIEW, str(asks["asked"])),
        "past-drawn": {"style": {}},
        "past-numbers": {"children": _numbers(site, pair, last)},
        "past-trades": {"children": trades},
    }
    window = await _window(site, name, last, zone)
    yield {"past-status": {"children": f"{said}{window}", "className": "panel-status"}}


async def _signals(
    site: PageContext, pair: str, from_us: int | None, at_us: int
) -> tuple[Sequence[Signal], ChartSpan]:
    """Return the signals that are drawn, and of what kind of time span they are."""
    if from_us is None:
        return await site.client.signals(pair, _SIGNALS, at_us + 1), spans.DEFAULT
    first_us = max(from_us, at_us - LONGEST_S * SECOND)
    seconds = (at_us - first_us) // SECOND + 1
    if seconds > _SECONDS:
        return await day.between(site.client, pair, first_us, at_us + 1), spans.named(spans.A_DAY)
    found = await site.client.signals(pair, seconds, at_us + 1)
    return [one for one in found if one.event_us >= first_us], spans.DEFAULT


def _nothing(text: str) -> Props:
    return {
        "past-status": {"children": text, "className": "panel-status is-error"},
        "past-drawn": {"style": {"display": "none"}},
        "past-numbers": {"children": ""},
        "past-trades": {"children": ""},
    }


async def _window(site: PageContext, pair: str, signal: Signal, zone: str) -> str:
    """Return of what samples the window was, or why it has no numbers."""
    if signal.quality == "stale":
        return f"Stale: {signal.reason}."
    path = f"/v1/pairs/{segment(pair)}/signals/{to_iso(signal.event_us)}/work"
    found, refused = await query_panel.answered(
        site.client,
        "past",
        WorkQuery(path, {}),
        SignalWork,
        "the window of a second",
        {},
        _TIMEOUT_S,
        lambda text: {"why": {"text": text}},
    )
    if found is None:
        return f"Its window is not known: {refused['why']['text']}"
    samples = found.data[:-1]
    if not samples:
        return f"Not enough data: {signal.reason}."
    said = f"Window: {len(samples)} samples, {period(samples[0].event_us, samples[-1].event_us, zone)}"
    kept = (
        ""
        if found.is_whole or signal.filled is None
        else f", of {signal.samples}: the others were filled of {signal.filled}"
    )
    return f"{said}{kept}. {found.method}, {found.arithmetic.transform}."


async def _trades(site: PageContext, symbol: str, at_us: int, zone: str) -> Component:
    """Return the last trades of a symbol before the moment, the newest first."""
    found = await site.client.read(
        "/v1/ticks", Listing[Tick], symbol=symbol, start=at_us - _TRADES_US, end=at_us + 1, limit=10_000
    )
    rows = [
        html.Tr(
            [
                html.Td(moment(tick.event_us, zone)[11:19], className="num"),
                html.Td(f"{tick.price:g}", className="num"),
                html.Td(quantity(tick.size), className="num"),
                html.Td("sell" if tick.buyer_is_maker else "buy"),
            ]
        )
        for tick in found.data[::-1][:_TRADES]
    ]
    head = html.Tr([html.Th(text, scope="col") for text in ("Time", "Price", "Size", "Side")])
    heading = f"Trades of {symbol} in the {_TRADES_US // SECOND} s before: {number(len(found.data), 0)}"
    table: Component = html.Div(
        [html.H4(heading), html.Table([html.Thead(head), html.Tbody(rows)], className="work-steps")]
    )
    return table


def _drawn(
    site: PageContext, pair: WatchedPair, signals: Sequence[Signal], span: ChartSpan, in_view: int, turn: str
) -> dict[str, Any]:
    canvas = Canvas(pair, span, PANES, site.market.decimals.get(pair.y, 2))
    return {
        "series": canvas.series(signals, {}),
        "paneOptions": lightweight.pane_options(SHARES[one] for one in PANES),
        "visibleLogicalRange": lightweight.newest_points(len(signals), in_view, turn),
    }


def _numbers(site: PageContext, pair: WatchedPair, signal: Signal) -> Component:
    rows = [(pair.y, f"{signal.y_price:g}", ""), (pair.x, f"{signal.x_price:g}", "")]
    for metric in METRICS:
        said = metric.said(site.market, pair, signal)
        rows.append((metric.card or metric.measure.label, said.value or signal.reason or NONE, said.note))
    table: Component = html.Table(
        html.Tbody(
            [
                html.Tr([html.Th(name, scope="row"), html.Td(value, className="num"), html.Td(note)])
                for name, value, note in rows
            ]
        ),
        className="work-steps",
    )
    return table
