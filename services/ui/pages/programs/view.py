"""View of the programs page in one session: rebuilt only when the names in its examples change."""

import re
from typing import Any

from dash import html
from dash.development.base_component import Component

from services.common.clock import to_iso
from services.ui.pages.programs.routes import Document, Group, groups
from services.ui.pages.programs.snippets import SNIPPETS, filled
from services.ui.pages.programs.topics import INTERNAL, TOPICS, TopicExample
from services.ui.state.live_state import Now
from services.ui.state.page_context import PageContext, Props, Selection, View
from services.ui.widgets.components import code

DESCRIPTION = "/openapi.json"
EVERY_S = 300.0
# What can stand in a quoted string of a shell and of Python.
ALLOWED = {"api": re.compile(r"https?://[\w.:/\[\]~%-]+"), "brokers": re.compile(r"[\w.:,\[\]-]+")}
EXAMPLES = {"api": "http://127.0.0.1:8000", "brokers": "127.0.0.1:9092"}
SYMBOL, PAIR = "BTCUSDT", "ETHUSDT-BTCUSDT"


class ProgramsView(View):
    """Examples with the addresses, a symbol and a pair of this pipeline."""

    def __init__(self, site: PageContext, mark: Any = None) -> None:
        super().__init__(site, mark)
        self._built: object = None
        self._second = ""
        self._props: Props = {}

    def step(self, selection: Selection, now: Now) -> Props:
        """Return what the page shows now."""
        market, client = self.site.market, self.site.client
        described = self.site.readings.get(
            (DESCRIPTION,), lambda: client.read(DESCRIPTION, dict[str, Any]), EVERY_S
        )
        api, api_error = _given(selection, "api", client.url)
        brokers, brokers_error = _given(selection, "brokers", self.site.brokers)
        pair = min(market.pairs or (), default=PAIR)
        if not self._second and (closes := market.closes.get(pair)):
            # Any second that has numbers: another one would build the page again.
            self._second = next((to_iso(one.event_us) for one in closes if one.quality != "stale"), "")
        about = {
            "api": api,
            "symbol": min(market.symbols, default=SYMBOL),
            "pair": pair,
            "time": self._second,
            "brokers": brokers,
        }
        document, error = described.value, None if described.value else described.error
        if (about, document, error) != self._built:
            self._built = (about, document, error)
            self._props = _show(about, document, error)
        return {
            **self._props,
            "programs-api": {"placeholder": client.url, "error": api_error},
            "programs-brokers": {"placeholder": self.site.brokers, "error": brokers_error},
        }


def _given(selection: Selection, name: str, otherwise: str) -> tuple[str, str]:
    """Return what a field says, and what is wrong with it; `otherwise` where it says nothing that can be used."""
    text = (selection.text(name) or "").strip().rstrip("/")
    if not text or ALLOWED[name].fullmatch(text):
        return text or otherwise, ""
    return otherwise, f"Expected an address such as {EXAMPLES[name]}"


def _show(about: dict[str, str], document: Document | None, error: str | None) -> Props:
    if document is None:
        routes: Any = f"Not known: {error}" if error else "Loading…"
    else:
        known = {name: about[name] for name in ("symbol", "pair", "time")}
        routes = [_group(group) for group in groups(document, about["api"], known)]
    addressed = {name: about[name] for name in ("api", "symbol", "pair", "brokers")}
    examples = [
        html.Div(
            [
                html.H4(one.title),
                html.P(one.needs, className="programs-note"),
                code(one.title, filled(one.text, **addressed)),
            ],
            className="example",
        )
        for one in SNIPPETS
    ]
    return {
        "programs-docs": {"href": f"{about['api']}/docs"},
        "programs-openapi": {"href": f"{about['api']}/openapi.json"},
        "programs-examples": {"children": examples},
        "programs-routes": {"children": routes},
        "programs-topics": {"children": [*map(_topic, TOPICS), _internal()]},
    }


def _group(group: Group) -> Component:
    routes = [
        html.Div(
            [
                html.P(
                    [html.B(route.method), html.Code(route.path), html.Span(route.does)], className="route"
                ),
                code(f"{route.method} {route.path}", route.curl),
            ]
        )
        for route in group.routes
    ]
    summary = html.Summary([html.B(group.name), html.Span(group.says)])
    folded: Component = html.Details([summary, *routes], className="fold", open=True)
    return folded


def _topic(topic: TopicExample) -> Component:
    heading = [html.B(topic.name), html.Span(f"key: {topic.key}; kept: {topic.kept}. {topic.says}")]
    example = topic.example()
    shown: Component = (
        html.Details([html.Summary(heading), code(f"A message of {topic.name}", example)], className="fold")
        if example
        else html.Div(heading, className="fold is-flat")
    )
    return shown


def _internal() -> Component:
    text = f"Between our own services, and changed without notice: {', '.join(INTERNAL)}."
    note: Component = html.P(text, className="programs-note")
    return note
