"""State of each node of the pipeline diagram."""

from dataclasses import replace
from typing import Any, cast

import pytest

from services.api.queries.database_errors import AWAY as DATABASE_AWAY
from services.api.stream.topic_reader import AWAY as BROKER_AWAY
from services.contracts.messages import Filling
from services.ui.api.types import ServiceHealth, Status
from services.ui.pages.health import services as stations
from services.ui.pages.health.diagram import SILENT_S, Node, age_words, nodes
from services.ui.state.live_state import LiveState, Now
from services.ui.state.service_rates import PAGE
from tests.unit.ui.answers import answer, update
from tests.unit.ui.conftest import Make

NAMES = ("ingest", "stream_analytics", "alerting", "sink", "research", "api")
KEYS = (
    *("ingest", "broker-in", "stream_analytics", "broker-out", "sink", "database", "api", "dashboard"),
    *("alerting", "research"),
)


def tell(market: LiveState, now: Now, **changed: ServiceHealth) -> dict[str, Node]:
    """Have all services be well but those that are `changed`, and return the stations."""
    services = tuple(
        changed.get(name)
        or answer(ServiceHealth, service=name, state="running", healthy=True, age_s=0.4, version="1.0")
        for name in NAMES
    )
    market.apply(update(status=answer(Status, services=services)), now)
    return {node.key: node for node in nodes(market, now)}


def texts(node: Node, name: str) -> list[str]:
    """Return what a station says in its parts of this class."""
    (item,) = stations.drawn([node], 0.0)
    parts: Any = [part for part in cast("Any", item).children if part.className.split()[0] == name]
    return [
        str(getattr(text, "children", text))
        for part in parts
        for text in (part.children if isinstance(part.children, list) else [part.children])
    ]


@pytest.fixture
def linked(now: Now) -> LiveState:
    market = LiveState()
    market.link(True, now)
    return market


def test_all_is_well_in_the_order_of_the_trades(linked: LiveState, now: Now) -> None:
    told = tell(linked, now)
    assert tuple(told) == KEYS
    assert {node.level for node in told.values()} == {"ok"}
    assert not any(node.is_stale for node in told.values())
    assert told["sink"].version == "1.0"
    beside = {key: node.beside for key, node in told.items() if node.beside}
    assert beside == {"alerting": "broker-out", "research": "database"}
    assert set(beside.values()) <= set(told)


def test_a_silent_service_is_the_last_known_without_a_rate(
    linked: LiveState, now: Now, service: Make
) -> None:
    sink = service("sink", healthy=False, age_s=31.0, counters={"ticks": 5})
    told = tell(linked, now, sink=sink)
    assert (told["sink"].level, told["sink"].state, told["sink"].rates) == (
        "error",
        "silent, was running",
        (),
    )
    assert age_words(told["sink"]) == "last known, 31 s ago"
    assert (told["database"].level, told["database"].state) == ("unknown", "the sink is silent")
    assert told["broker-in"].level == "ok"  # the others are heard through it


def test_of_several_processes_each_is_told_and_one_that_lives_is_heard(
    linked: LiveState, now: Now, service: Make, process: Make
) -> None:
    dead = process("a-1", state="silent", healthy=False, age_s=None)
    two = (dead, process("a-2", lag_messages=1234, age_s=0.0))
    told = tell(linked, now, sink=service("sink", state="silent", healthy=False, age_s=None, instances=two))
    sink = told["sink"]
    assert (sink.state, sink.level, sink.is_stale, sink.age_s) == ("1 of 2 silent", "error", False, 0)
    assert sink.processes == ("a-1: silent, heard —", "a-2: running, lag 1\u202f234, heard now")
    assert texts(sink, "station-processes") == [*sink.processes]
    assert sink.rates
    assert told["database"].state == "the sink is silent"


def test_the_database_is_as_well_as_a_sink_that_has_only_lost_messages(
    linked: LiveState, now: Now, service: Make, process: Make
) -> None:
    lossy = service(
        "sink", state="degraded", healthy=False, unacknowledged={"ticks": 5}, instances=(process("a"),)
    )
    database = tell(linked, now, sink=lossy)["database"]
    assert (database.state, database.level) == ("running", "ok")
    deaf = service("sink", state="catching up", healthy=None, instances=(process("a", healthy=None),))
    assert tell(linked, now, sink=deaf)["database"].level == "unknown"


def test_one_that_died_before_the_api_began_is_silent(
    linked: LiveState, now: Now, service: Make, process: Make
) -> None:
    dead = process("a-1", state="silent", said="degraded", healthy=False, age_s=None)
    told = tell(
        linked, now, sink=service("sink", state="silent", healthy=False, age_s=None, instances=(dead,))
    )
    assert told["sink"].state == "silent since before the API started, was degraded"
    assert (told["sink"].level, told["sink"].processes) == ("error", ())


@pytest.mark.parametrize("age_s", [None, 0.5, 31.0])
def test_while_the_api_cannot_tell_nobody_is_called_silent(
    linked: LiveState, now: Now, service: Make, process: Make, age_s: float | None
) -> None:
    one = process("a-1", state="catching up", healthy=None, age_s=age_s)
    sink = service("sink", state="catching up", healthy=None, age_s=age_s, instances=(one,))
    told = tell(
        linked, now, sink=sink, ingest=service("ingest", state="catching up", healthy=None, age_s=None)
    )
    assert {(told[key].state, told[key].level) for key in ("ingest", "sink")} == {("catching up", "unknown")}


def test_one_that_ended_as_it_was_asked_to_is_stopped(linked: LiveState, now: Now, service: Make) -> None:
    told = tell(linked, now, sink=service("sink", state="stopped", healthy=False, age_s=900.0))
    assert (told["sink"].state, told["sink"].level) == ("stopped", "warning")


def test_what_nobody_has_acknowledged_has_a_button(linked: LiveState, now: Now, service: Make) -> None:
    sink = service("sink", state="degraded", healthy=False, lost={"ticks": 3}, unacknowledged={"ticks": 5})
    told = tell(linked, now, sink=sink)["sink"]
    assert (told.level, told.lost, told.unacknowledged) == ("warning", ("lost 5 messages of ticks",), 5)
    assert texts(told, "action") == ["Acknowledge"]
    seen = tell(linked, now, sink=service("sink", lost={"ticks": 3}))["sink"]
    assert (seen.level, seen.lost, texts(seen, "action")) == ("ok", ("lost 3 messages of ticks",), [])


def test_age_grows_while_nothing_is_heard(linked: LiveState, now: Now) -> None:
    tell(linked, now)
    later = Now(now.us, now.s + SILENT_S)
    aged = {node.key: node for node in nodes(linked, later)}
    assert all(node.is_stale for node in aged.values())
    assert aged["broker-in"].state == "no messages arrive"


def test_without_a_stream_nothing_is_known_to_be_well(linked: LiveState, now: Now) -> None:
    tell(linked, now)
    linked.link(False, now, "refused")
    lost = {node.key: node for node in nodes(linked, now)}
    assert {lost[key].level for key in KEYS if key != "dashboard"} == {"unknown"}
    assert (lost["dashboard"].level, lost["dashboard"].state, lost["dashboard"].detail) == (
        "error",
        "reconnecting",
        "refused",
    )


@pytest.mark.parametrize(
    ("words", "station"),
    [(BROKER_AWAY, "broker-in"), (DATABASE_AWAY, "database")],
    ids=["broker", "database"],
)
def test_what_the_api_cannot_reach_is_said_where_it_stands(
    words: str, station: str, linked: LiveState, now: Now, service: Make
) -> None:
    api = service("api", state="degraded", healthy=False, detail=f"{words}; something else")
    told = tell(linked, now, api=api)
    assert (told[station].level, told[station].detail) == ("error", f"api: {words}")
    assert told["api"].level == "warning"


def test_a_stream_that_is_degraded_is_said_where_it_is_read(linked: LiveState, now: Now) -> None:
    linked.apply(update(degraded=(DATABASE_AWAY,)), now)
    page = tell(linked, now)[PAGE]
    assert (page.state, page.level, page.detail) == (
        "connected, the stream is degraded",
        "warning",
        DATABASE_AWAY,
    )
    assert tell(linked, now)["api"].level == "ok"
    linked.link(False, now, "refused")
    assert tell(linked, now)[PAGE].level == "error"
    linked.link(True, now)
    linked.apply(update(degraded=()), now)
    assert tell(linked, now)[PAGE].level == "ok"


def test_lag_rates_and_losses_are_told(linked: LiveState, now: Now, service: Make) -> None:
    for second in range(3):
        sink = service(
            "sink",
            lag_messages=1234,
            lag_seconds=0.5,
            counters={
                "ticks": 40 * second,
                "signals": 2 * second,
                "dead_letters": second,
                "dead_letters_not_kept": second // 2,
            },
        )
        told = tell(linked, Now(now.us, now.s + second), sink=sink)
    sink_node = told["sink"]
    assert sink_node.rates == ("42.0 rows/s",)
    assert sink_node.lag == "lag 1\u202f234, 0.50 s"
    assert sink_node.detail == "2 dead letters; 1 of these not kept"
    assert [lag for _, lag in sink_node.lags] == [1234] * 3


def test_what_is_filled_is_among_the_numbers_of_ingest(linked: LiveState, now: Now, service: Make) -> None:
    told = tell(linked, now, ingest=service("ingest", filling=Filling(340.9, 912.3)))
    assert (told["ingest"].level, told["ingest"].filling) == ("ok", "filling: 340 of 912 s")
    assert texts(told["ingest"], "station-numbers")[-1] == "filling: 340 of 912 s"
    assert told["sink"].filling is None


def test_what_was_lost_of_each_topic_is_an_error(linked: LiveState, now: Now, service: Make) -> None:
    sink = service("sink", lost={"ticks": 1234, "signals": 1}, counters={"lost": 1235, "dead_letters": 2})
    told = tell(linked, now, sink=sink)
    assert told["sink"].lost == ("lost 1 message of signals", "lost 1\u202f234 messages of ticks")
    assert texts(told["sink"], "station-lost") == [*told["sink"].lost]
    assert told["sink"].detail == "2 dead letters"
    assert told["api"].lost == ()


def test_what_a_service_counts_as_lost_without_topics_is_told(
    linked: LiveState, now: Now, service: Make
) -> None:
    told = tell(linked, now, sink=service("sink", counters={"lost": 7}))
    assert told["sink"].detail == "7 messages deleted before they were read"


def test_nothing_is_known_before_the_first_word(now: Now) -> None:
    first = {node.key: node for node in nodes(LiveState(), now)}
    assert tuple(first) == KEYS
    assert {first[key].level for key in KEYS if key != "dashboard"} == {"unknown"}
    assert age_words(first["sink"]) == "nothing known"
    assert replace(first["sink"], age_s=0.0).is_stale is False
