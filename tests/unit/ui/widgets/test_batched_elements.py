"""Batched elements."""

import json

import dash_mantine_components as dmc
import pytest
from dash import html

from services.ui.shell.push_loop import DRAWN
from services.ui.state.page_context import attributes
from services.ui.widgets import batched_elements
from services.ui.widgets.batched_elements import BatchedElement, BatchedElements, plain

CARD = html.Div(
    [html.Span("-", id="value"), html.Span("fine", className="note")], id="card", className="card"
)


def test_elements_become_json() -> None:
    told = plain(
        html.Div(["a", html.B("b", title="c")], style={"--width": "1%"}, **attributes("aria", label="d"))
    )
    assert json.loads(json.dumps(told)) == {
        "tag": "div",
        "props": {
            "children": ["a", {"tag": "b", "props": {"children": "b", "title": "c"}}],
            "style": {"--width": "1%"},
            "aria-label": "d",
        },
    }


def test_only_elements_can_be_drawn() -> None:
    with pytest.raises(TypeError, match="expected an element of HTML"):
        plain(html.Div([dmc.Text("a")]))


def test_what_is_drawn_together_is_one_property_and_always_whole() -> None:
    owners = batched_elements.ids(html.Main([BatchedElement("cards", CARD), html.Div(id="other")]))
    assert owners == {"card": "cards", "value": "cards"}
    drawings = BatchedElements(owners)
    both = {"value": {"children": "1"}, "card": {"className": "card is-old"}, "other": {"children": "2"}}
    assert drawings.gather(both) == {
        "cards": {"values": {"value": {"children": "1"}, "card": {"className": "card is-old"}}},
        "other": {"children": "2"},
    }
    later = drawings.gather({"value": {"children": html.B("3")}})
    assert later["cards"]["values"] == {
        "value": {"children": {"tag": "b", "props": {"children": "3"}}},
        "card": {"className": "card is-old"},
    }


def test_the_live_numbers_of_every_page_are_drawn_as_one() -> None:
    assert {DRAWN[name] for name in ("metric-zscore", "card-y", "label-x")} == {"cards"}
    assert (DRAWN["quote-price"], DRAWN["stations"], DRAWN["services"]) == ("quote", "pipeline", "foot")
