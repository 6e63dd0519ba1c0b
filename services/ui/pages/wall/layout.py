"""Layout of the wall: a line about the whole, and a tile for each pair."""

from dash import html
from dash.development.base_component import Component

from services.ui.state.page_context import attributes
from services.ui.widgets.batched_elements import BatchedElement

MOST = 12
"""Pairs on the wall: more could not be read from 4 m."""
PARTS = ("name", "z", "state", "note", "age")


def layout() -> Component:
    """Return the page, without pairs."""
    head = html.Div(
        [
            html.Span(id="wall-feed", className="wall-feed"),
            html.B(id="wall-said", role="status"),
            html.Span(id="wall-note"),
            html.Span(id="wall-clock", className="num"),
        ],
        className="wall-head",
    )
    tiles = html.Div([_tile(place) for place in range(MOST)], id="wall-tiles", className="wall-tiles of-0")
    main: Component = html.Main(
        [
            html.H1("Wall", className="unseen"),
            BatchedElement("wall", html.Div([head, tiles], id="wall-all", className="wall is-waiting")),
        ],
        id="page-wall",
        className="page-main is-wall",
        tabIndex=-1,
    )
    return main


def _tile(place: int) -> Component:
    parts = [html.Span(id=f"wall-{place}-{part}", className=f"wall-{part} num") for part in PARTS]
    tile: Component = html.Section(
        parts,
        id=f"wall-{place}",
        className="wall-tile is-away",
        **attributes("aria", label=f"Tile {place + 1}"),
    )
    return tile
