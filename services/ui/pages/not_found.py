"""Page for an address that no page has."""

from dash import dcc, html
from dash.development.base_component import Component

from services.ui.pages import PAGES
from services.ui.widgets import components

TITLE = "No such page"


def layout() -> Component:
    """Return words, and links to every page."""
    links = [html.Li(dcc.Link(page.title, href=page.path, className="download")) for page in PAGES]
    return components.page(
        "missing",
        TITLE,
        [
            html.Div(
                [
                    html.P("There is no page at this address. It may be mistyped, or of an older version."),
                    html.P("These are the pages:"),
                    html.Ul(links),
                ],
                className="missing",
            )
        ],
    )
