"""The work of one second: how its z-score comes about, opened by a click on the chart of a pair."""

from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, set_props
from dash.development.base_component import Component

from services.common.clock import SECOND, to_iso
from services.ui.api import downloads
from services.ui.api.client import segment
from services.ui.api.types import SignalWork
from services.ui.pages.pairs import past
from services.ui.pages.pairs.past import WorkQuery
from services.ui.state.page_context import PageContext, Props, attributes
from services.ui.widgets import query_panel
from services.ui.widgets.components import code, download
from services.ui.widgets.formatting import UTC, moment, number

TIMEOUT_S = 60.0


def layout() -> Component:
    """Return the window over the page, closed."""
    links = html.Div(
        [download("work-csv", "Window as CSV"), download("work-json", "JSON")],
        className="form-foot",
    )
    modal: Component = dmc.Modal(
        [
            html.Div(id="work-status", className="panel-status", role="status"),
            html.Div(id="work-steps"),
            html.Div(past.from_work(), className="form-foot"),
            html.Div([links, code("Python program", element="work-program")], id="work-more"),
        ],
        id="work",
        title="The work of a second",
        size="lg",
        centered=True,
        closeButtonProps=attributes("aria", label="Close"),
    )
    whole: Component = html.Div([dcc.Store(id="work-asks"), dcc.Store(id="work-done"), modal])
    return whole


def register(app: Dash, site: PageContext, chart: str) -> None:
    """Open the window for the second that is clicked on `chart`."""
    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("pairs_work", "open"),
        Output("work-asks", "data"),
        Output("work", "opened"),
        Input(chart, "click"),
        State("pair-select", "value"),
        State("zone-select", "value"),
        prevent_initial_call=True,
    )

    @app.callback(Output("work-done", "data"), Input("work-asks", "data"), prevent_initial_call=True)
    async def ask(asks: dict[str, Any] | None) -> Any:
        if asks:
            for element, props in (await answer(site, asks)).items():
                set_props(element, props)
        return asks


async def answer(site: PageContext, asks: dict[str, Any]) -> Props:
    """Ask the API for the work of the second `asks["second"]` (epoch), and return what the window shows."""
    at_us = int(asks["second"]) * SECOND
    zone = asks.get("zone") or UTC
    title = {"work": {"title": f"{asks['pair']} at {moment(at_us, zone)}"}}
    path = f"/v1/pairs/{segment(asks['pair'])}/signals/{to_iso(at_us)}/work"
    found, refused = await query_panel.answered(
        site.client, "work", WorkQuery(path, {}), SignalWork, "the work of a second", {}, TIMEOUT_S, _refused
    )
    if found is None:
        return title | refused
    return title | {
        "work-status": {
            "children": _verdict(found),
            "className": "panel-status" if found.agrees else "panel-status is-error",
        },
        "work-steps": {"children": _steps(found, zone)},
        "work-more": {"style": {}},
        "work-program": {"children": found.python},
        "work-csv": {"href": downloads.link(path, format="csv")},
        "work-json": {"href": downloads.link(path, format="json")},
    }


def _refused(text: str) -> Props:
    return {
        "work-status": {"children": text, "className": "panel-status is-error"},
        "work-steps": {"children": ""},
        "work-more": {"style": {"display": "none"}},
    }


def _verdict(found: SignalWork) -> str:
    if found.agrees:
        return "Computed again from the stored window: equal to the published value."
    if not found.is_whole and found.filled:
        return (
            f"Part of this window was filled of {found.filled}, which is not all stored: the published value cannot be "
            "computed again."
        )
    if not found.is_whole:
        return "Not all samples of this window are stored any more: the published value cannot be computed again."
    return "The value computed again differs from the published one: the pair was measured another way then."


def _steps(found: SignalWork, zone: str) -> Component:
    work, window = found.arithmetic, found.data[:-1]
    log = "ln " if work.transform == "log" else ""
    span = f", {moment(window[0].event_us, zone)} to {moment(window[-1].event_us, zone)}" if window else ""
    rows = [
        ("Window", f"{work.samples} samples{span}"),
        ("Method", f"{found.method}, {'logarithms of prices' if log else 'prices'}"),
        (f"{log}Y, {log}X", f"{_exact(work.y)}, {_exact(work.x)}"),
    ]
    if work.zscore is None:
        rows.append(("No z-score", work.reason or found.reason or ""))
    else:
        rows += [
            ("Line", f"{log}Y = {_exact(work.intercept)} + {_exact(work.hedge_ratio)} × {log}X"),
            ("Predicted", f"{_exact(work.predicted)}"),
            ("Spread", f"{_exact(work.y)} − {_exact(work.predicted)} = {_exact(work.spread)}"),
            ("Scale", f"{_exact(work.scale)}, the standard deviation that the window expects"),
            ("z-score", f"{_exact(work.spread)} / {_exact(work.scale)} = {_exact(work.zscore)}"),
        ]
    rows.append(("Published", "none" if found.zscore is None else _exact(found.zscore)))
    table: Component = html.Table(
        html.Tbody(
            [html.Tr([html.Th(name, scope="row"), html.Td(text, className="num")]) for name, text in rows]
        ),
        className="work-steps",
    )
    return table


def _exact(value: float | None) -> str:
    """Return a number with the digits that tell it from its neighbours in a check by hand."""
    if value is None:
        return ""
    digits = max(0, 9 - len(f"{abs(value):.0f}")) if abs(value) >= 1 else 8
    return number(value, digits)
