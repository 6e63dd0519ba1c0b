"""Calibration panel: its controls, and its query."""

from typing import Any

import dash_mantine_components as dmc
from dash import Dash, dcc, html
from dash.development.base_component import Component

from services.ui.api.types import Calibration
from services.ui.calibration import presenter
from services.ui.calibration.presenter import PREFIX, RANGES, USUAL
from services.ui.state.page_context import PageContext, Props, attributes
from services.ui.widgets import query_panel
from services.ui.widgets.query_panel import AGAIN

CONTROLS = ("range", "stop", "windows")
LABELS = {"range": "Signals", "stop": "Stop |z|", "windows": "Windows to come back"}
TIMEOUT_S = 60.0


def layout() -> list[Component]:
    """Return the panel; charts come with the first answer, so that other visitors do not load Plotly."""
    usual = {
        "prefix": PREFIX,
        "names": CONTROLS,
        "usual": [USUAL[name] for name in CONTROLS],
        "allowed": {"range": list(RANGES)},
    }
    form = html.Div(
        [
            dcc.Store(id=f"{PREFIX}-panel", data=usual),
            dcc.Store(id=f"{PREFIX}-subject"),
            dcc.Store(id=f"{PREFIX}-asks"),
            dcc.Store(id=f"{PREFIX}-done"),
            *(_control(name) for name in CONTROLS),
        ],
        className="form",
        role="group",
        **attributes("aria", label="Data of the calibration"),
    )
    again = html.Button(AGAIN, id=f"{PREFIX}-again", n_clicks=0, className="button")
    return [
        form,
        html.Div("No answer yet", id=f"{PREFIX}-status", className="panel-status", role="status"),
        html.Div(id=f"{PREFIX}-headline", className="figure-headline", role="status"),
        html.Div(id=f"{PREFIX}-coverage", className="fine num", role="status"),
        html.Div(again, className="form-foot"),
        html.Div(id=f"{PREFIX}-charts", className="figures"),
    ]


def register(app: Dash, site: PageContext) -> None:
    """Add what the panel does; the page fills the store ``calibration-subject``, as of an analysis."""
    values = [(f"{PREFIX}-{name}", "value") for name in CONTROLS]
    query_panel.register(app, PREFIX, values, lambda asks: answer(site, asks))


async def answer(site: PageContext, asks: dict[str, Any]) -> Props:
    """Ask the API and return what the panel shows of its answer."""
    seen = site.market.signals.get(asks["pair"])
    asked = presenter.question(asks, seen.message.event_us if seen else None)
    fields = dict(zip(CONTROLS, CONTROLS, strict=True))
    found, props = await query_panel.answered(
        site.client, PREFIX, asked, Calibration, "a calibration", fields, TIMEOUT_S, presenter.refused
    )
    return props if found is None else {**props, **presenter.answered(asked, found)}


def _control(name: str) -> Component:
    common: dict[str, Any] = {"id": f"{PREFIX}-{name}", "label": LABELS[name], "size": "xs"}
    control: Component
    if name == "range":
        options = [{"value": value, "label": label} for value, label in RANGES.items()]
        control = dmc.Select(data=options, allowDeselect=False, value=USUAL[name], **common)
    else:
        placeholder = "twice the entry" if name == "stop" else ""
        control = dmc.NumberInput(
            hideControls=True, debounce=500, value=USUAL[name], placeholder=placeholder, **common
        )
    return control
