"""Tour in three steps; shown once, and again by the button in the header.

``assets/tour.js`` opens it: a modal ``<dialog>``, so the browser keeps the focus in it, closes it on Escape, and
gives the focus back.
"""

from typing import NamedTuple

from dash import ClientsideFunction, Dash, Input, Output, html
from dash.development.base_component import Component

from services.ui.state.page_context import attributes


class TourStep(NamedTuple):
    """Step of the tour: a text beside the element that a CSS selector finds."""

    beside: str
    title: str
    text: tuple[str, ...]


STEPS = (
    TourStep(
        "#feed-badge",
        "Where the trades come from",
        (
            "LIVE is the exchange, now. REPLAY is a recording, with the times of the recording. SYNTHETIC is "
            "invented: for trying things out, not a market.",
            "Old numbers are greyed and marked. Problems appear in a banner below this line.",
        ),
    ),
    TourStep(
        "#menu-pairs",
        "A pair and its z-score",
        (
            "Overview lists all pairs, the largest |z| first. Choose a pair Y-X there or on the page Pairs: Y is "
            "regressed on X, and the spread is the residual.",
            "z is the spread in standard deviations. Beyond the outer bands an alert fires, inside the inner ones it "
            "is resolved. Each z uses earlier data only.",
        ),
    ),
    TourStep(
        "#menu-alerts",
        "Alerts and downloads",
        (
            "A new alert is shown on every page and listed under Alerts, beside the thresholds.",
            "Every table and chart has a CSV link in its corner. Programs read the same data: see For programs.",
        ),
    ),
)


def dialog() -> Component:
    """Return the tour, closed."""
    steps = [
        html.Div(
            [html.H2(step.title), *(html.P(text) for text in step.text)],
            className="tour-step",
            **attributes("data", beside=step.beside),
        )
        for step in STEPS
    ]
    buttons = [
        html.Span(id="tour-place", className="fine num"),
        html.Span(className="gap"),
        html.Button("Skip", id="tour-skip", className="button"),
        html.Button("Back", id="tour-back", className="button"),
        html.Button("Next", id="tour-next", className="button is-first"),
    ]
    opened: Component = html.Dialog(
        [html.Div(steps, **attributes("aria", live="polite")), html.Div(buttons, className="tour-foot")],
        id="tour",
        className="tour",
        **attributes("aria", label="How to read pairstream"),
    )
    return opened


def button() -> Component:
    """Return what shows the tour again."""
    again: Component = html.Button(
        "?",
        id="tour-again",
        n_clicks=0,
        className="icon-button",
        title="How to read this",
        **attributes("aria", label="Show the tour"),
    )
    return again


def register(app: Dash) -> None:
    """Start the tour on the first page of a new reader, and by its button."""
    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("tour", "begin"), Output("tour-again", "title"), Input("tour-again", "n_clicks")
    )
