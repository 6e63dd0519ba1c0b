"""Programs page: built for the addresses, a symbol and a pair of this pipeline."""

from dataclasses import replace
from typing import Any, cast

import pytest
from dash.development.base_component import Component

from services.ui.api.poll_cache import PollCache
from services.ui.pages.programs.snippets import SNIPPETS, Snippet, filled
from services.ui.pages.programs.view import ProgramsView
from services.ui.state.live_state import Now
from services.ui.state.page_context import PageContext, Props, Selection
from tests.unit.ui.conftest import PAIR, StubReadings

DESCRIPTION = {"paths": {"/v1/status": {"get": {"summary": "Read Status"}}}}


def shown(props: Props) -> str:
    """Return all the text of the page."""
    texts: list[str] = []

    def read(part: Any) -> None:
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, list):
            for one in part:
                read(one)
        elif isinstance(part, Component):
            read(getattr(part, "children", None))

    for values in props.values():
        read(values.get("children"))
    return "\n".join(texts)


@pytest.fixture
def described(site: PageContext) -> PageContext:
    readings = cast("PollCache", StubReadings(**{"openapi.json": DESCRIPTION}))
    return replace(site, readings=readings, brokers="broker.test:9092")


def page(**asks: str) -> Selection:
    return Selection("one", "programs", 1, asks=asks)


def test_examples_name_what_is_here(described: PageContext, now: Now) -> None:
    text = shown(ProgramsView(described).step(page(), now))
    assert "curl -s 'http://api.test/v1/status'" in text
    assert "ws://api.test/v1/stream" in text
    assert PAIR in text
    assert '"symbol": "BTCUSDT"' in text
    assert 'bootstrap_servers="broker.test:9092"' in text
    assert "$" not in text


def test_another_address_is_taken_by_every_example(described: PageContext, now: Now) -> None:
    props = ProgramsView(described).step(page(api="https://elsewhere.test/", brokers="k:1,l:2"), now)
    text = shown(props)
    assert "api.test" not in text
    assert "wss://elsewhere.test/v1/stream" in text
    assert 'bootstrap_servers="k:1,l:2"' in text
    assert props["programs-docs"]["href"] == "https://elsewhere.test/docs"


@pytest.mark.parametrize(
    "odd", ["javascript:alert(1)", "elsewhere", 'http://a"b', "http://a'; rm -rf /", "http://$(x)"]
)
def test_what_is_no_address_is_refused_in_words(odd: str, described: PageContext, now: Now) -> None:
    props = ProgramsView(described).step(page(api=odd), now)
    assert props["programs-docs"]["href"] == "http://api.test/docs"
    assert "Expected an address" in props["programs-api"]["error"]


def test_it_is_built_again_only_for_another_reason(described: PageContext, now: Now) -> None:
    view = ProgramsView(described)
    first = view.step(page(), now)["programs-routes"]["children"]
    assert view.step(page(), now)["programs-routes"]["children"] is first
    assert view.step(page(api="http://b.test"), now)["programs-routes"]["children"] is not first


def test_routes_that_are_not_known_say_why(site: PageContext, now: Now) -> None:
    assert ProgramsView(site).step(page(), now)["programs-routes"]["children"] == "Loading…"


@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda snippet: snippet.key)
def test_an_example_is_a_program(snippet: Snippet) -> None:
    text = filled(snippet.text, "http://a.test", "BTCUSDT", PAIR, "b:9092")
    compile(text, snippet.key, "exec")
    assert "$" not in text
    assert len(text.strip().splitlines()) <= 10
