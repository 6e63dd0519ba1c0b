"""Layout of the radar page before data arrives."""

from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from services.ui.analysis import panel
from services.ui.pages.radar import rows
from services.ui.pages.radar.figures import MATRICES
from services.ui.pages.radar.rows import STAGES
from services.ui.state.page_context import attributes
from services.ui.widgets.components import chooser, cover, download, page, pane, segmented
from services.ui.widgets.formatting import NONE

STUDY = "radar-study"
STUDIED = ("method", "window", "trend", "lags")
FUNNEL = {
    "tried": "pairs tried",
    "significant": "p < 5 %, both ways round",
    "corrected": "once the number of tries counts",
    "confirmed": "confirmed",
}


def layout() -> Component:
    """Return the page."""
    listed = pane(
        "Pairs",
        [rows.table(), cover("radar-empty", "Connecting…"), *(dcc.Store(id=one) for one in ("radar-pair",))],
        "radar",
        [
            chooser("radar-select", "Radar", 150),
            segmented("radar-stage", "Stage at least", _choices(STAGES), "tried"),
            _text("radar-name", "Symbol or pair"),
            _least(),
            download("radar-csv"),
        ],
    )
    graph = dcc.Graph(
        id="radar-matrix",
        figure={"data": [], "layout": {}},
        config={"displayModeBar": False, "scrollZoom": True},
        responsive=True,
        className="radar-graph",
    )
    figure = html.Div(
        graph,
        className="figure radar-figure",
        role="figure",
        **attributes("aria", label="Matrix of all symbols, in clustered order"),
    )
    drawn = pane(
        "Matrix",
        [figure, cover("radar-matrix-empty", "Connecting…")],
        "matrix",
        [segmented("radar-of", "What is drawn", _choices(MATRICES), "evidence")],
    )
    return page("radar", "Radar", [_funnel(), html.Div([listed, drawn], className="radar-top"), _pair()])


def _funnel() -> Component:
    steps = [
        html.Div(
            [html.B(NONE, id=f"radar-{name}", className="num"), html.Span(words)], className="radar-step"
        )
        for name, words in FUNNEL.items()
    ]
    return html.Div(
        [
            html.Div(steps, className="radar-funnel", role="group", **attributes("aria", label="Funnel")),
            html.Div("Connecting…", id="radar-status", className="radar-status fine", role="status"),
        ],
        className="radar-head",
    )


def _pair() -> Component:
    side = html.Div(
        [
            html.Div(id="radar-facts", className="fine num", role="status"),
            html.Div(
                [
                    html.Button("Watch this pair", id="radar-watch", n_clicks=0, className="button is-first"),
                    html.Span(id="radar-watched", className="panel-status", role="status"),
                ],
                className="form-foot",
            ),
            panel.controls(STUDY, STUDIED),
            panel.status(STUDY),
            panel.evidence(STUDY),
            panel.numbers(STUDY),
        ],
        className="study-side",
    )
    body = html.Div([panel.chart(STUDY), side], className="study")
    return html.Div(pane("Pair", [body], "radar-chosen"), id="radar-shown", className="radar-shown")


def _choices(named: dict[str, str]) -> list[dict[str, str]]:
    return [{"value": name, "label": label} for name, label in named.items()]


def _text(element: str, label: str) -> Component:
    control: Component = dmc.TextInput(
        id=element,
        value="",
        placeholder=label,
        size="xs",
        w=120,
        debounce=300,
        **attributes("aria", label=label),
    )
    return control


def _least() -> Component:
    control: Any = dmc.NumberInput(
        id="radar-bp",
        value="",
        min=0,
        placeholder="bp at least",
        size="xs",
        w=96,
        hideControls=True,
        debounce=300,
        **attributes("aria", label="Spread at least, basis points"),
    )
    made: Component = control
    return made
