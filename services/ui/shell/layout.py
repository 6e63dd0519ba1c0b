"""Layout around every page: header, menu, banner, toasts, services. Every changing part has an id."""

import dash
import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from services.ui.alerts import actions
from services.ui.charts import lightweight
from services.ui.pages import PAGES
from services.ui.shell import tour
from services.ui.state.page_context import attributes
from services.ui.widgets.batched_elements import BatchedElement
from services.ui.widgets.components import chooser
from services.ui.widgets.formatting import NONE


def shell() -> Component:
    """Return the whole page, before anything is known."""
    services = html.Div(
        id="services", className="services", role="group", tabIndex=0, **attributes("aria", label="Services")
    )
    live = attributes("aria", live="polite")
    body = html.Div(
        [
            html.A("Skip to the page", href="#_pages_content", className="skip"),
            _header(),
            html.Div(id="offline", className="offline", role="alert"),
            html.Div(
                [
                    html.Span(id="address-wrong-text"),
                    html.Button("Close", id="address-wrong-close", className="button is-link", type="button"),
                ],
                className="notice is-warning address-wrong",
                role="status",
            ),
            # Its lines have no ids, and Dash misses some of their changes while another page is opened.
            BatchedElement("notices", html.Div(id="banner", className="banner", role="status", **live)),
            html.Div(
                id="firing", className="firing", role="region", **attributes("aria", label="Firing alerts")
            ),
            dash.page_container,
            BatchedElement("foot", html.Footer(services, className="foot")),
            # Below a dialog, which has 200.
            dmc.NotificationContainer(
                id="toasts",
                position="bottom-left",
                limit=4,
                containerWidth=340,
                zIndex=150,
                transitionDuration=0,
            ),
            *_state(),
            *actions.parts(),
            tour.dialog(),
        ],
        className="page",
    )
    theme = {"primaryColor": "blue", "defaultRadius": "sm", "fontFamily": "var(--font)", "focusRing": "auto"}
    provider: Component = dmc.MantineProvider(body, id="mantine", defaultColorScheme="auto", theme=theme)
    return provider


def _state() -> list[Component]:
    stores = (
        "selection",
        "theme",
        "system-theme",
        "mark",
        "kick",
        "stream-again",
        "poll",
        "polled",
        "taken",
        "placed",
    )
    return [
        dcc.Store(id="chart-themes", data=lightweight.THEMES),
        *(dcc.Store(id=store) for store in stores),
    ]


def _header() -> Component:
    brand = html.H1(
        [html.Span(className="mark", **attributes("aria", hidden="true")), "pairstream"], className="brand"
    )
    menu = html.Nav(
        [
            dcc.Link(page.title, href=page.path, id=f"menu-{page.name}", className="menu-item")
            for page in PAGES
            if page.in_menu
        ],
        className="menu",
        **attributes("aria", label="Pages"),
    )
    badge = html.Span(
        "NO FEED",
        id="feed-badge",
        className="feed is-none",
        tabIndex=0,
        role="status",
        **attributes("aria", describedby="feed-tip"),
    )
    tip = html.Span("The feed is not known yet.", id="feed-tip", className="tip", role="tooltip")
    link = html.Span(
        [
            html.Span("Connecting", id="connection-state", className="link is-connecting"),
            html.Span("Polling every 2 s", className="link is-polling"),
            html.Span("Offline", className="link is-offline"),
        ],
        className="links",
        role="status",
    )
    toggle = html.Button(
        html.Span(className="theme-icon", **attributes("aria", hidden="true")),
        id="theme-toggle",
        n_clicks=0,
        className="icon-button",
        title="Dark or light",
        **attributes("aria", label="Switch theme"),
    )
    clock = html.Span(NONE, id="clock", className="clock num", title="Time of the newest trade")
    return html.Header(
        [
            brand,
            menu,
            html.Span([badge, tip], className="tipped"),
            link,
            html.Span(className="gap"),
            clock,
            chooser("zone-select", "Time zone", 114),
            tour.button(),
            toggle,
        ],
        className="head",
    )
