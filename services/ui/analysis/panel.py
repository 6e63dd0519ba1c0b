"""Analysis panel of a live pair or of a dataset, for any page.

A page puts ``layout`` somewhere, calls ``register`` once, and fills the store ``<prefix>-subject`` with
``{"pair": ..., "dataset": ...}``, or null while nothing is to be asked. The controls are in the address under `prefix`.
"""

import time
from collections.abc import Mapping
from functools import partial
from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, dcc, html
from dash.development.base_component import Component

from services.ui.analysis import presenter, tables
from services.ui.analysis.chart import PANES, SHARES, TITLES, Thresholds
from services.ui.analysis.query import (
    ASKED_AS,
    LAGS,
    METHODS,
    MOMENTS,
    TRANSFORMS,
    TRENDS,
    USUAL,
    WIDTHS,
    question,
)
from services.ui.api.types import Analysis
from services.ui.charts import lightweight
from services.ui.state.page_context import PageContext, Props, attributes
from services.ui.widgets import query_panel
from services.ui.widgets.components import MOMENT, cover, download, table
from services.ui.widgets.formatting import NONE
from services.ui.widgets.query_panel import AGAIN

WHAT_IF = ("method", "window", "interval", "bars", "transform", "intercept", "start", "end")
TESTS = ("method", "interval", "bars", "transform", "trend", "lags")
EVERYTHING = (*WHAT_IF, "trend", "lags")
LABELS = {
    "method": "Method",
    "window": "Window, bars",
    "interval": "Bar",
    "bars": "Range, newest bars",
    "transform": "Values",
    "intercept": "With an intercept",
    "trend": "Tests allow for",
    "lags": "Lags",
    "start": "From",
    "end": "To",
}
CHOICES: dict[str, Mapping[str, str]] = {
    "method": METHODS,
    "interval": WIDTHS,
    "transform": TRANSFORMS,
    "trend": TRENDS,
    "lags": LAGS,
}
# A little longer than the API gives a long one.
TIMEOUT_S = 610.0
BAR_SPACING = 1.0


def controls(prefix: str, names: tuple[str, ...]) -> Component:
    """Return the controls called `names`, with the stores that keep them in the page's address."""
    usual = {
        "prefix": prefix,
        "names": names,
        "usual": [USUAL[name] for name in names],
        "allowed": {name: list(options) for name, options in CHOICES.items()},
    }
    form: Component = html.Div(
        [
            dcc.Store(id=f"{prefix}-panel", data=usual),
            dcc.Store(id=f"{prefix}-subject"),
            dcc.Store(id=f"{prefix}-asks"),
            dcc.Store(id=f"{prefix}-done"),
            *(_control(prefix, name) for name in names),
        ],
        className="form",
        role="group",
        **attributes("aria", label="Data and method"),
    )
    return form


def status(prefix: str) -> Component:
    """Return what asks again, and over which bars the answer is."""
    bar: Component = html.Div(
        [
            html.Div("No answer yet", id=f"{prefix}-status", className="panel-status", role="status"),
            html.Div(id=f"{prefix}-coverage", className="fine num", role="status"),
            html.Div(
                [
                    html.Button(AGAIN, id=f"{prefix}-again", n_clicks=0, className="button"),
                    _link(f"{prefix}-csv", "Series CSV", "analysis.csv"),
                    _link(f"{prefix}-json", "Statistics JSON", "analysis.json"),
                ],
                className="form-foot",
            ),
        ]
    )
    return bar


def numbers(prefix: str, live: bool = False) -> Component:
    """Return the numbers, with `live` beside those of the live pair (``<prefix>-live-<name>``)."""
    cells: list[Component] = [
        html.B(id=f"{prefix}-of-all", className="numbers-head"),
        *(cell for name in presenter.OF_ALL for cell in _cells(prefix, name)),
        html.B("Newest bar", id=f"{prefix}-of-newest", className="numbers-head is-newest"),
    ]
    if live:
        cells.append(html.B("Live", className="numbers-live"))
    for name in presenter.OF_NEWEST:
        cells += _cells(prefix, name, live)
    grid: Component = html.Div(cells, className="numbers num" + (" has-live" if live else ""))
    return grid


def chart(prefix: str) -> Component:
    """Return the chart of the rolling numbers."""
    whole, above = sum(SHARES.values()), 0.0
    labels = []
    for pane in PANES:
        top = {"--top": f"{above / whole:.4f}"}
        labels.append(html.Div(html.B(TITLES[pane]), className="pane-label", style=top))
        above += SHARES[pane]
    drawn = lightweight.chart(f"chart-{prefix}", BAR_SPACING, [SHARES[pane] for pane in PANES])
    body: Component = html.Div(
        [drawn, *labels, cover(f"{prefix}-empty", "No answer yet")], className="pane-body panel-chart"
    )
    return body


def evidence(prefix: str, *between: Component) -> Component:
    """Return the verdict, the components of `between`, and every statistic with its CSV."""
    grid: Any = table(
        f"{prefix}-rows",
        tables.COLUMNS,
        "No numbers yet",
        domLayout="autoHeight",
        tooltipShowDelay=300,
        suppressColumnVirtualisation=True,
    )
    grid.style = {"width": "100%"}
    grid.csvExportParams = {"fileName": f"{prefix}.csv"}
    save = html.Button("Table CSV", id=f"{prefix}-save", n_clicks=0, className="button is-link")
    part: Component = html.Div(
        [
            html.Div(id=f"{prefix}-verdict", className="verdict", role="status"),
            html.Div(id=f"{prefix}-missing", className="fine"),
            *between,
            grid,
            html.Div(save, className="form-foot"),
        ],
        className="evidence",
    )
    return part


def register(
    app: Dash, site: PageContext, prefix: str, names: tuple[str, ...], parts: frozenset[str]
) -> None:
    """Add what the panel does; `names` are those of its controls, `parts` the ids that are laid out."""
    controls = [(f"{prefix}-{name}", _value(name)) for name in names]
    if f"chart-{prefix}" in parts:
        lightweight.paint(app, f"chart-{prefix}")
    if f"{prefix}-rows" in parts:
        app.clientside_callback(  # type: ignore[no-untyped-call]
            ClientsideFunction("analysis", "save"),
            Output(f"{prefix}-rows", "exportDataAsCsv"),
            Input(f"{prefix}-save", "n_clicks"),
            prevent_initial_call=True,
        )

    async def laid_out(asks: dict[str, Any]) -> Props:
        return {
            element: props
            for element, props in (await answer(site, prefix, names, asks)).items()
            if element in parts
        }

    query_panel.register(app, prefix, controls, laid_out)


async def answer(site: PageContext, prefix: str, names: tuple[str, ...], asks: dict[str, Any]) -> Props:
    """Ask the API and return what the panel shows of its answer."""
    asked = question(asks)
    if isinstance(asked, str):
        fine: Props = {f"{prefix}-{name}": {"error": ""} for name in names}
        return {**fine, **presenter.refused(prefix, asked), f"{prefix}-intercept": {"error": asked}}
    began = time.monotonic()
    fields = {ASKED_AS.get(name, name): name for name in names}
    found, props = await query_panel.answered(
        site.client,
        prefix,
        asked,
        Analysis,
        "an analysis",
        fields,
        TIMEOUT_S,
        partial(presenter.refused, prefix),
    )
    if found is None:
        return props
    seconds = time.monotonic() - began
    pair = None if asks.get("dataset") else (site.market.pairs or {}).get(asks["pair"])
    thresholds = Thresholds(pair.entry_z, pair.exit_z) if pair else Thresholds()
    return {**props, **presenter.answered(prefix, asked, found, seconds, thresholds)}


def ids(*laid_out: Component) -> frozenset[str]:
    """Return the ids of everything in `laid_out`."""
    roots: tuple[Any, ...] = laid_out
    parts = [part for root in roots for part in (root, *root._traverse())]
    return frozenset(part.id for part in parts if getattr(part, "id", None))


def _value(name: str) -> str:
    return "checked" if name == "intercept" else "value"


def _control(prefix: str, name: str) -> Component:
    common: dict[str, Any] = {"id": f"{prefix}-{name}", "label": LABELS[name], "size": "xs"}
    control: Component
    if name == "intercept":
        control = dmc.Checkbox(checked=True, **common)
    elif name in MOMENTS:
        control = dmc.TextInput(value="", debounce=500, attributes=MOMENT, className="is-moment", **common)
    elif name in CHOICES:
        options = [{"value": value, "label": label} for value, label in CHOICES[name].items()]
        control = dmc.Select(data=options, allowDeselect=False, value=str(USUAL[name]), **common)
    else:
        control = dmc.NumberInput(hideControls=True, debounce=500, value=USUAL[name], **common)
    return control


def _cells(prefix: str, name: str, live: bool = False) -> list[Component]:
    beside = [html.Span(NONE, id=f"{prefix}-live-{name}")] if live else []
    where = "numbers-wide" if name in presenter.OF_ALL else None
    value = html.Span(NONE, id=f"{prefix}-number-{name}", className=where)
    return [html.Span(presenter.NUMBERS[name], className="numbers-name"), value, *beside]


def _link(element: str, label: str, name: str) -> Component:
    link: Any = download(element, label)
    link.className, link.download = "download is-nothing", name
    made: Component = link
    return made
