"""Sidebar of the pairs page: tests, calibration, what-if, sizes, settings, and management of pairs."""

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from services.ui.analysis import panel
from services.ui.analysis.panel import TESTS, WHAT_IF
from services.ui.api.types import WatchedPair
from services.ui.calibration import panel as calibration
from services.ui.charts import measures
from services.ui.pages.pairs import manage, settings, sizes
from services.ui.state.live_state import LiveState
from services.ui.state.page_context import PageContext, Props, Selection, attributes
from services.ui.widgets.formatting import NONE

TABS = {
    "tests": "Tests",
    "calibration": "Calibration",
    "whatif": "What-if",
    "sizes": "Sizes",
    "settings": "Settings",
    "pairs": "Pairs",
}
LIVE_NAMES = {"correlation": "price_correlation"}
"""Fields of an analysis that signals call otherwise."""
APPLIED = ("method", "window", "interval", "transform", "intercept")


def layout() -> list[Component]:
    """Return the sidebar.

    Closed panels stay in the page: inputs that come into it later do not show the value they were given before.
    """
    contents = {
        "tests": _tests(),
        "calibration": calibration.layout(),
        "whatif": _what_if(),
        "sizes": [sizes.layout()],
        "settings": [settings.layout()],
        "pairs": [manage.layout()],
    }
    tabs = dmc.Tabs(
        [
            dmc.TabsList([dmc.TabsTab(title, value=name) for name, title in TABS.items()], grow=True),
            *(dmc.TabsPanel(contents[name], value=name, className="side-panel") for name in TABS),
        ],
        id="side-tabs",
        value="tests",
        className="pane side-tabs",
        **attributes("aria", label="Tests, calibration, what-if, sizes, settings and pairs"),
    )
    return [dcc.Store(id="pair-live"), tabs]


def register(app: Dash, site: PageContext) -> None:
    """Register the callbacks of the sidebar."""
    panel.register(app, site, "tests", TESTS, panel.ids(*_tests()))
    panel.register(app, site, "whatif", WHAT_IF, panel.ids(*_what_if()))
    calibration.register(app, site)
    settings.register(app, site)
    sizes.register(app, site)
    manage.register(app, site)
    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("pairs_side", "route"),
        Output("side-tabs", "value"),
        Input("page-pairs", "id"),
    )
    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("pairs_side", "subject"),
        Output("tests-subject", "data"),
        Output("whatif-subject", "data"),
        Output("calibration-subject", "data"),
        Input("side-tabs", "value"),
        Input("pair-select", "value"),
        Input("pair-live", "data"),
        Input("tests-panel", "data"),
        Input("whatif-panel", "data"),
    )
    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("pairs_side", "apply"),
        Output("side-tabs", "value", allow_duplicate=True),
        Output("settings-status", "children", allow_duplicate=True),
        Output("settings-status", "className", allow_duplicate=True),
        *(
            Output(f"settings-{name}", settings.value_of(name), allow_duplicate=True)
            for name in APPLIED
            if name != "interval"
        ),
        Input("whatif-apply", "n_clicks"),
        *(State(f"whatif-{name}", settings.value_of(name)) for name in APPLIED),
        prevent_initial_call=True,
    )


def live(market: LiveState, pair: WatchedPair | None, selection: Selection) -> Props:
    """Return what of this follows the market."""
    symbols = sorted(market.symbols)
    props: Props = {
        "pair-live": {"data": settings.state(pair) if pair else None},
        "add-y": {"data": symbols},
        "add-x": {"data": symbols},
        "manage-pause": {
            "children": "Resume" if pair and pair.paused else "Pause",
            "disabled": pair is None,
        },
        "manage-remove": {"disabled": pair is None},
        "manage-state": {"children": _state(pair)},
    }
    if selection.asks.get("side") == "whatif":
        props |= {f"whatif-live-{name}": {"children": text} for name, text in _live(market, pair).items()}
    return props


def _live(market: LiveState, pair: WatchedPair | None) -> dict[str, str]:
    seen = market.signals.get(pair.pair) if pair and not pair.paused else None
    if seen is None or not market.connected:
        return dict.fromkeys(measures.ROLLING, NONE)
    return {
        name: measure.text(getattr(seen.message, LIVE_NAMES.get(name, name)))
        for name, measure in measures.ROLLING.items()
    }


def _state(pair: WatchedPair | None) -> str:
    if pair is None:
        return "No pair is chosen."
    return f"{pair.pair} is {'paused' if pair.paused else 'measured'}."


def _tests() -> list[Component]:
    choice = html.Details(
        [html.Summary("Tests and their parameters"), panel.controls("tests", TESTS)], className="choice"
    )
    source = html.P(
        "Of stored bars, named below the verdict. Cards and chart are of the live window.", className="fine"
    )
    return [source, panel.evidence("tests", panel.status("tests"), choice)]


def _what_if() -> list[Component]:
    apply = html.Div(
        html.Button("Use these settings", id="whatif-apply", n_clicks=0, className="button"),
        className="form-foot",
    )
    return [
        panel.controls("whatif", WHAT_IF),
        panel.status("whatif"),
        panel.numbers("whatif", live=True),
        apply,
        panel.chart("whatif"),
    ]
