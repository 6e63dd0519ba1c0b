"""The page: header, live numbers, charts, alerts, services. Everything that changes has an id."""

from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from services.ui import charts
from services.ui.alert_table import table
from services.ui.formatting import NONE
from services.ui.view import INTERVALS, attributes

LABELS = {
    "y": "Y",
    "x": "X",
    "spread": "Spread",
    "zscore": "z-score",
    "hedge-ratio": "Hedge ratio",
    "correlation": "Correlation",
}
PANE_TITLES = ("Prices", "Spread", "z-score")
POLL_MS = 2000


def page() -> Component:
    """Return the whole page, before anything is known."""
    body = html.Div(
        [
            _header(),
            html.Div(id="offline", className="offline", role="alert"),
            html.Div(id="banner", className="banner", role="status", **attributes("aria", live="polite")),
            html.Main(
                [
                    html.Section(
                        [_card(name) for name in LABELS],
                        className="cards",
                        **attributes("aria", label="Live numbers"),
                    ),
                    html.Div([_candles(), _alerts(), _pair()], className="panes"),
                ]
            ),
            html.Footer(
                [
                    html.Div(
                        id="services",
                        className="services",
                        role="status",
                        **attributes("aria", label="Services"),
                    ),
                    html.Span("Times are UTC", className="fine"),
                ],
                className="foot",
            ),
            dmc.NotificationContainer(id="toasts", position="bottom-left", limit=4, containerWidth=360),
            *_state(),
        ],
        className="page",
    )
    theme = {"primaryColor": "blue", "defaultRadius": "sm", "fontFamily": "var(--font)", "focusRing": "auto"}
    provider: Component = dmc.MantineProvider(body, id="mantine", defaultColorScheme="auto", theme=theme)
    return provider


def _state() -> list[Component]:
    themes = {
        chart: {theme: charts.options(chart, theme) for theme in charts.THEMES}
        for chart in charts.BAR_SPACING
    }
    stores = ("selection", "theme", "system-theme", "mark", "kick", "stream-again", "polled")
    return [
        dcc.Location(id="url", refresh=False),
        dcc.Interval(id="poll", interval=POLL_MS, disabled=True),
        dcc.Store(id="chart-options", data=themes),
        *(dcc.Store(id=store) for store in stores),
    ]


def _header() -> Component:
    brand = html.H1(
        [html.Span(className="mark", **attributes("aria", hidden="true")), "pairstream"], className="brand"
    )
    badge = html.Span(
        "NO FEED",
        id="feed-badge",
        className="feed is-none",
        tabIndex=0,
        role="status",
        **attributes("aria", describedby="feed-tip"),
    )
    tip = html.Span(
        "The API has not said where its trades come from.", id="feed-tip", className="tip", role="tooltip"
    )
    feed = html.Span([badge, tip], className="tipped")
    link = html.Span(
        [
            html.Span("Connecting", id="connection-state", className="link is-connecting"),
            html.Span("Polling every 2 s", className="link is-polling"),
            html.Span("Offline", className="link is-offline"),
        ],
        className="links",
        role="status",
    )
    pair = dmc.Select(
        id="pair-select",
        data=[],
        size="xs",
        placeholder="Pair",
        allowDeselect=False,
        searchable=True,
        nothingFoundMessage="No such pair",
        w=210,
        **attributes("aria", label="Pair, written Y-X"),
    )
    toggle = html.Button(
        html.Span(className="theme-icon", **attributes("aria", hidden="true")),
        id="theme-toggle",
        n_clicks=0,
        className="icon-button",
        title="Dark or light",
        **attributes("aria", label="Switch theme"),
    )
    clock = html.Span(f"{NONE} UTC", id="clock", className="clock num", title="Time of the newest trade")
    return html.Header([brand, feed, link, pair, html.Span(className="gap"), clock, toggle], className="head")


def _card(name: str) -> Component:
    # Few parts, because each component of a page costs a little on every update.
    return html.Div(
        [
            html.Div(LABELS[name], id=f"label-{name}", className="card-label"),
            html.Div(NONE, id=f"metric-{name}", className="card-value num"),
            html.Span(id=f"metric-{name}-note", className="note"),
            html.Span(id=f"metric-{name}-age", className="age num"),
        ],
        id=f"card-{name}",
        className=f"card is-waiting of-{name}",
    )


def _pane(title: Any, chart: list[Component], name: str, tools: list[Component] | None = None) -> Component:
    head = html.Div(
        [html.H2(title, id=f"{name}-title", className="pane-title"), *(tools or [])], className="pane-head"
    )
    return html.Section([head, html.Div(chart, className="pane-body")], className=f"pane is-{name}")


def _empty(element: str, text: str = "") -> Component:
    return html.Div(
        text, id=element, className="pane-empty is-shown" if text else "pane-empty", role="status"
    )


def _candles() -> Component:
    leg = dmc.SegmentedControl(
        id="leg-select",
        data=[{"label": "Y", "value": "y"}, {"label": "X", "value": "x"}],
        value="y",
        size="xs",
        **attributes("aria", label="Leg shown as candles"),
    )
    interval = dmc.SegmentedControl(
        id="interval-select",
        data=list(INTERVALS),
        value="1m",
        size="xs",
        **attributes("aria", label="Interval of the candles"),
    )
    legends = [html.Div(id=f"legend-{name}", className="legend num") for name in ("bar", "hover")]
    chart = [charts.empty_chart("chart-candles"), *legends, _empty("candles-empty", "Connecting…")]
    return _pane("Candles", chart, "candles", [leg, interval])


def _pair() -> Component:
    tops, top = [], 0.0
    for share in charts.PANE_SHARES:
        tops.append({"--top": str(round(top, 4))})
        top += share
    legs = [
        html.Span("Y", id="legend-y", className="key is-y"),
        html.Span("X", id="legend-x", className="key is-x"),
    ]
    note = html.Span("indexed to 100 at the left edge", className="fine")
    notes = ([*legs, note], [html.Span(id="legend-spread")], [html.Span(id="legend-zscore")])
    names = ("prices", "spread", "zscore")
    labels = [
        html.Div(
            [html.B(title), *more],
            id=f"pane-{name}",
            className="pane-label",
            style=style,
        )
        for title, more, name, style in zip(PANE_TITLES, notes, names, tops, strict=True)
    ]
    thin = html.Div(id="zscore-empty", className="pane-empty", role="status")
    chart = [charts.empty_chart("chart-pair"), *labels, thin, _empty("pair-empty", "Connecting…")]
    return _pane("Pair", chart, "pair", [html.Span(id="pair-method", className="pane-note")])


def _alerts() -> Component:
    head = html.Div(html.H2("Alerts", className="pane-title"), className="pane-head")
    return html.Section([head, html.Div(table(), className="pane-body")], className="pane is-alerts")
