"""Layout of the pairs page before data arrives."""

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from services.ui.charts import lightweight
from services.ui.pages.pairs import past, sidebar, spans, work
from services.ui.pages.pairs.comparison import COMPARED
from services.ui.pages.pairs.lines import PANES, tops
from services.ui.pages.pairs.metrics import DRAWN, METRICS
from services.ui.state.page_context import PageContext, attributes
from services.ui.widgets.batched_elements import BatchedElement
from services.ui.widgets.components import chooser, cover, download, page, pane, segmented
from services.ui.widgets.formatting import NONE

CHART = "chart-pair"
BAR_SPACING = 1.1
LABELS = {"y": "Y", "x": "X", **{metric.name: metric.card or metric.measure.label for metric in METRICS}}
TITLES = {"prices": "Prices", **{metric.name: metric.measure.label for metric in DRAWN.values()}}


def layout() -> Component:
    """Return the page."""
    cards = html.Section(
        [_card(name) for name in LABELS], className="cards", **attributes("aria", label="Live numbers")
    )
    choice = html.Div(
        dmc.ChipGroup(
            [dmc.Chip(title, value=name, size="xs", radius="sm") for name, title in TITLES.items()],
            id="pane-choice",
            multiple=True,
            value=list(PANES),
        ),
        className="chips",
        role="group",
        **attributes("aria", label="Panes"),
    )
    tools = [
        chooser("pair-select", "Pair, written Y-X"),
        dmc.Select(
            id="vs-select",
            data=[],
            size="xs",
            w=190,
            clearable=True,
            searchable=True,
            placeholder="Compare with a pair",
            nothingFoundMessage="No match",
            **attributes("aria", label="Compare with a pair"),
        ),
        segmented("range-select", "Range", spans.CHOICES, spans.DEFAULT.name),
        choice,
        html.Span(id="pair-method", className="pane-note"),
        html.Span(
            id="pair-late",
            className="pane-note",
            title="Late trades, and the seconds recomputed because of them",
        ),
        *past.controls(),
        download("pair-csv"),
    ]
    covers = [
        cover("pair-state"),
        html.Div(id="pair-mark", className="mark-name num"),
        html.Div(id="pair-older", className="older"),
        cover("pair-empty", "Connecting…"),
    ]
    drawn = lightweight.chart(CHART, BAR_SPACING, crosshair=True, click=True)
    chart = pane("Pair", [drawn, *_labels(), *covers, dcc.Store(id="pair-extras")], "pair", tools)
    aside = html.Aside(sidebar.layout(), id="pair-side", **attributes("aria", label="This pair"))
    return page(
        "pairs",
        "Pairs",
        [
            html.Div(
                [BatchedElement("cards", cards), html.Div([chart, aside], className="beside")], id=past.NOW
            ),
            past.layout(),
            work.layout(),
        ],
    )


def register(app: Dash, site: PageContext) -> None:
    """Add what the page does by itself; the functions are in ``assets/pages/pairs.js``."""
    sidebar.register(app, site)
    work.register(app, site, CHART)
    past.register(app, site)
    lightweight.paint(app, CHART)
    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("pairs", "route"),
        Output("pair-select", "value"),
        Output("range-select", "value"),
        Output("pane-choice", "value"),
        Input("page-pairs", "id"),
    )
    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("pairs", "select"),
        Output("pair-empty", "children"),
        Output("pair-empty", "className"),
        Input("pair-select", "value"),
        Input("range-select", "value"),
    )
    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("pairs", "compare"),
        Output("vs-select", "value"),
        Input("vs-select", "value"),
        Input("vs-select", "data"),
    )
    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("pairs", "choose_panes"),
        Output("pane-choice", "value", allow_duplicate=True),
        Input("pane-choice", "value"),
        prevent_initial_call=True,
    )
    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("pairs", "add"),
        Output(CHART, "series"),
        Input("pair-extras", "data"),
        State(CHART, "series"),
    )
    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("pairs", "legend"),
        *(Output(f"hover-{name}", "children") for name in PANES),
        Output("pair-mark", "children"),
        Input(CHART, "crosshair"),
    )


def _card(name: str) -> Component:
    return html.Div(
        [
            html.Div(LABELS[name], id=f"label-{name}", className="card-label"),
            html.Span(id=f"metric-{name}-age", className="age num"),
            html.Div(NONE, id=f"metric-{name}", className="card-value num"),
            html.Span(id=f"metric-{name}-note", className="note"),
        ],
        id=f"card-{name}",
        className=f"card is-waiting of-{name}",
    )


def _labels() -> list[Component]:
    legs = [
        html.Span("Y", id="legend-y", className="key is-y"),
        html.Span("X", id="legend-x", className="key is-x"),
        html.Span("indexed: 100 at the left edge", className="fine"),
    ]
    begins = tops(PANES)
    return [
        html.Div(
            [
                html.B(TITLES[name]),
                *(legs if name == "prices" else [html.Span(id=f"legend-{name}", className="fine")]),
                *([html.Span(id=f"legend-vs-{name}", className="is-away")] if name in COMPARED else []),
                html.Span(id=f"hover-{name}", className="at-cursor num"),
            ],
            id=f"pane-{name}",
            className="pane-label",
            style={"--top": str(begins[name])},
        )
        for name in PANES
    ]
