"""The banner and the strip of services."""

from dataclasses import replace
from typing import Any

from services.ui.answers import Status, StreamMessage, SymbolStats, WatchedPair
from services.ui.market import Market, Now
from services.ui.notices import Notice, notices, strip
from services.ui.view import Selection
from tests.unit.ui.conftest import Make


def connected(now: Now, *services: object, feed: str = "live") -> Market:
    market = Market()
    market.apply(StreamMessage("snapshot", status=Status(tuple(services))), now)  # type: ignore[arg-type]
    market.link(True, now)
    return market


def test_nothing_is_said_when_all_is_well(
    selection: Selection, pair: WatchedPair, service: Make, now: Now
) -> None:
    market = connected(now, service())
    market.watch([pair], [])
    assert notices(market, selection, now) == []


def test_a_lost_stream_is_said_with_its_reason_and_duration(
    selection: Selection, service: Make, now: Now
) -> None:
    market = connected(now, service(healthy=False))
    market.link(False, now, "refused")
    (notice,) = notices(market, selection, Now(now.us, now.s + 7))
    assert notice.severity == "error"
    assert notice.text.startswith("Stream lost for 7 s")
    assert notice.text.endswith("refused.")


def test_each_sick_service_is_named(selection: Selection, service: Make, now: Now) -> None:
    market = connected(
        now,
        service("sink", healthy=False, age_s=31.0),
        service("ingest", state="degraded", healthy=False, detail="no route to the venue"),
        service("api", state="unknown", healthy=False, age_s=None),
    )
    assert [notice.text for notice in notices(market, selection, now)] == [
        "sink is silent, last heard 31 s ago.",
        "ingest is degraded, not healthy: no route to the venue.",
        "api is not heard from yet.",
    ]


def test_a_replay_that_has_ended_is_a_note(selection: Selection, service: Make, now: Now) -> None:
    market = connected(now, service("ingest", state="finished"))
    assert notices(market, selection, now) == [
        Notice("note", "ingest has finished: the feed has no more trades.")
    ]


def test_a_pair_that_is_not_watched_is_said(selection: Selection, pair: WatchedPair, now: Now) -> None:
    market = connected(now)
    market.watch([pair], [])
    (notice,) = notices(market, replace(selection, pair="A-B"), now)
    assert notice.text == "A-B is not watched here. Watched pairs: ETHUSDT-BTCUSDT."


def test_the_strip_shows_health_lag_and_rate(service: Make, now: Now) -> None:
    market = connected(now, service("sink", lag_messages=1234), service("ingest", healthy=False, age_s=9.0))
    market.watch([], [SymbolStats("ETHUSDT", tick_rate=6.5), SymbolStats("BTCUSDT", tick_rate=13.0)])
    sink, ingest, rate = map(_read, strip(market))
    assert sink == ("service is-ok", "running, lag 1\u202f234")
    assert ingest == ("service is-error", "silent, last heard 9 s ago")
    assert rate[1] == "19.5 ticks/s"


def test_health_is_unknown_without_a_stream(service: Make, now: Now) -> None:
    market = connected(now, service("sink", lag_messages=3))
    market.link(False, now)
    (sink,) = map(_read, strip(market))
    assert sink == ("service is-unknown", "unknown")


def _read(entry: Any) -> tuple[str, str]:
    return entry.className, entry.children[1]
