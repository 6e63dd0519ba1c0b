"""Health page: tapes, gaps, and how often each part is sent."""

from dataclasses import replace
from typing import Any, cast

import pytest
from msgspec import structs

from services.common.clock import SECOND
from services.ui.api.poll_cache import PollCache, PolledAnswer
from services.ui.api.types import Gap, Listing, Status, SymbolTape
from services.ui.pages.health import gaps, services, tapes
from services.ui.pages.health.view import HealthView
from services.ui.series.gap_shading import LIMIT
from services.ui.state.live_state import Now
from services.ui.state.page_context import PageContext, Selection
from tests.unit.ui.answers import answer, tape, update
from tests.unit.ui.conftest import START_S, Make, StubReadings

GAP = answer(
    Gap,
    symbol="BTCUSDT",
    first_id=100,
    last_id=116,
    start_us=START_S * SECOND,
    end_us=START_S * SECOND,
    state="unrepaired",
    missing=17,
    reason="older than the 48 hours",
)


@pytest.fixture
def health_page() -> Selection:
    return Selection("one", "health", 1)


def told(site: PageContext, now: Now, *symbols: SymbolTape) -> PageContext:
    site.market.apply(update(status=answer(Status, symbols=symbols)), now)
    return site


def test_a_tape_tells_its_holes(site: PageContext, now: Now) -> None:
    holed = tape(
        "ETHUSDT",
        last_event_us=START_S * SECOND,
        coverage_1h=0.99999,
        open_gaps=2,
        stale=("ethusdt@aggTrade",),
    )
    row = tapes.rows(told(site, now, holed).market, now)["ETHUSDT"]
    assert (row["text"]["hour"], row["text"]["day"], row["gaps"]) == ("99.99\u202f%", "—", 2)
    assert (row["streams"], row["stale"], row["last"]) == ("ethusdt@aggTrade", False, START_S * 1000)


def test_a_symbol_that_does_not_trade_is_stale(site: PageContext, now: Now) -> None:
    row = tapes.rows(told(site, now, tape("SOLUSDT", last_event_us=(START_S - 60) * SECOND)).market, now)[
        "SOLUSDT"
    ]
    assert (row["stale"], row["text"]["age"]) == (True, "1 min ago")
    assert tapes.rows(told(site, now, tape("X")).market, now)["X"]["stale"]


def test_a_tape_without_coverage_says_why(site: PageContext, now: Now) -> None:
    rows = tapes.rows(told(site, now, tape("A", coverage_reason="a replay"), tape("B")).market, now)
    assert (rows["A"]["reason"], rows["A"]["text"]["hour"]) == ("a replay", "—")
    assert all(
        column["tooltipField"] == "reason" for column in tapes.COLUMNS if column["field"] in ("hour", "day")
    )


def test_a_symbol_that_is_stored_and_not_collected_says_so(site: PageContext, now: Now) -> None:
    rows = tapes.rows(told(site, now, tape("A", collected=False), tape("B")).market, now)
    assert (rows["A"]["streams"], rows["B"]["streams"]) == ("not collected now", "—")


def test_only_rows_that_changed_are_sent(site: PageContext, health_page: Selection, now: Now) -> None:
    view = HealthView(told(site, now, tape("A"), tape("B")))
    assert len(view.step(health_page, now)["tapes-table"]["rowData"]) == 2
    told(site, now, tape("A", open_gaps=1), tape("B"))
    later = Now(now.us, now.s + 1)
    (changed,) = view.step(health_page, later)["tapes-table-changed"]["rows"]
    assert (changed["id"], changed["gaps"]) == ("A", 1)
    assert view.step(health_page, Now(now.us, now.s + 1.5)) is view.step(health_page, later)


def test_the_delivery_lag_is_told_of_what_was_delivered(
    site: PageContext, health_page: Selection, now: Now
) -> None:
    late = tape("BYUSDT", delivery_now_ms=5_104, delivery_p50_ms=-3_208, delivery_p99_ms=85)
    view = HealthView(told(site, now, late, tape("BTCUSDT")))
    (row,) = view.step(health_page, now)["delivery-table"]["rowData"]
    assert (row["id"], row["now"], row["p50"], row["p99"]) == ("BYUSDT", 5_104, -3_208, 85)
    assert row["text"] == {"now": "5.1 s", "p50": "−3.2 s", "p99": "85 ms"}
    told(site, now, structs.replace(late, delivery_now_ms=80))
    (changed,) = view.step(health_page, Now(now.us, now.s + 1))["delivery-table-changed"]["rows"]
    assert changed["text"]["now"] == "80 ms"


@pytest.mark.parametrize(
    ("asks", "filters", "href"),
    [
        ({}, {}, "/download/v1/gaps?format=csv"),
        ({"state": "open", "symbol": "any"}, {"state": "open"}, "/download/v1/gaps?state=open&format=csv"),
        (
            {"state": "odd", "symbol": "BTCUSDT"},
            {"symbol": "BTCUSDT"},
            "/download/v1/gaps?symbol=BTCUSDT&format=csv",
        ),
    ],
)
def test_the_filters_are_those_of_the_api(asks: Any, filters: dict[str, str], href: str) -> None:
    assert gaps.asked(Selection("one", "health", asks=asks)) == filters
    assert gaps.link(filters) == href


def test_gaps_are_listed_with_what_became_of_them(
    site: PageContext, health_page: Selection, now: Now
) -> None:
    readings = cast("PollCache", StubReadings(gaps=Listing(data=(GAP,))))
    props = HealthView(replace(site, readings=readings)).step(health_page, now)
    (row,) = props["gaps-table"]["rowData"]
    assert (row["state"], row["trades"], row["missing"], row["reason"]) == (
        "given up",
        17,
        17,
        "older than the 48 hours",
    )
    assert props["gaps-said"]["children"] == "1 gap"


@pytest.mark.parametrize(
    ("count", "error", "said"),
    [
        (None, None, "Loading…"),
        (None, "no database.", "Not read: no database."),
        (0, None, "0 gaps"),
        (1, "no database.", "Last known: no database."),
        (LIMIT, None, "The newest 1\u202f000; CSV has all"),
    ],
)
def test_a_table_that_is_not_all_says_so(count: int | None, error: str | None, said: str) -> None:
    reading: PolledAnswer[Listing[Gap]] = PolledAnswer()
    reading.value, reading.error = None if count is None else Listing(data=(GAP,) * count), error
    assert gaps.words(reading) == said


def test_the_title_counts_what_is_not_well(
    site: PageContext, health_page: Selection, service: Make, now: Now
) -> None:
    view = HealthView(site)
    view.step(health_page, now)
    assert view.title is None
    sink = service("sink", healthy=False, age_s=31.0)
    site.market.apply(update(status=answer(Status, services=(service("ingest"), sink))), now)
    view.step(health_page, now)
    assert view.title == "1 not well"


def test_a_lag_is_drawn_where_it_was() -> None:
    assert services.shape(((0.0, 0), (297.0, 40), (300.0, 20)), 300.0) == (
        "polygon(98.3% 100%,98.3% 0%,100.0% 50%,100.0% 100%)"
    )
    assert services.shape(((0.0, 5),), 1000.0) == "polygon(0 100%)"
