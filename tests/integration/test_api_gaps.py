"""Gap ledger and coverage, of symbols of two venues, on each database of the contract."""

import asyncio
from collections.abc import Iterator
from itertools import groupby
from typing import Any

import msgspec
import pytest

from services.api.models import tape
from services.api.models.status import Status
from services.common.clock import HOUR, SECOND
from services.common.codec import encode
from services.contracts.messages import TapeEvent, TapeEventKind
from services.contracts.topics import HEARTBEATS, TAPE_EVENTS, TICKS
from tests.api_process import START_US, ApiProcess, heartbeat, pair_signal, running_api, store, tick
from tests.broker import produce
from tests.contract.store import write_all
from tests.fix_broker import embedded_broker

pytestmark = pytest.mark.integration

OKX = "BTCUSDT.OKX"
ACROSS = f"ETHUSDT-{OKX}"
SETTINGS = {"PAIRSTREAM_SYMBOLS": f"BTCUSDT,ETHUSDT,{OKX}", "PAIRSTREAM_PAIRS": ACROSS}
ACROSS_SIGNALS = [msgspec.structs.replace(pair_signal(number), pair=ACROSS) for number in range(3)]
OKX_TICKS = [msgspec.structs.replace(tick(number, OKX), repaired=number == 1) for number in range(3)]
KINDS: tuple[TapeEventKind, ...] = ("gap_found", "gap_unrepaired", "gap_refuted", "gap_repaired")


def gap(number: int, symbol: str) -> TapeEvent:
    """Return what became of gap `number`, which begins in second `number` and lasts two seconds; three share one."""
    start_us = START_US + number // 3 * SECOND
    return TapeEvent(
        kind=KINDS[number % 4],
        venue="okx" if symbol == OKX else "binance",
        symbol=symbol,
        at_us=START_US + HOUR + number,
        first_id=100 * number,
        last_id=100 * number + 9,
        start_us=start_us,
        end_us=start_us + 2 * SECOND,
        reason="=1, a formula" if number % 4 == 1 else None,
    )


GAPS = [gap(number, OKX if number % 2 else "BTCUSDT") for number in range(80)]
NEWEST_FIRST = sorted(GAPS, key=lambda one: (one.start_us, one.symbol, one.first_id), reverse=True)
EVENTS = [
    TapeEvent(kind="coverage", venue="okx", symbol=OKX, at_us=START_US, coverage_1h=0.75, coverage_24h=0.875),
    TapeEvent(kind="stream_stale", venue="okx", symbol=OKX, at_us=2**52, stream="trades:BTC-USDT-SWAP"),
    # The store knows it as found.
    TapeEvent(
        kind="gap_repaired",
        venue="binance",
        symbol="BTCUSDT",
        at_us=START_US + 2 * HOUR,
        first_id=0,
        last_id=9,
        start_us=START_US,
        end_us=START_US + 2 * SECOND,
    ),
]


@pytest.fixture(scope="module")
def api(store_url: str) -> Iterator[ApiProcess]:
    store(store_url, [tick(1), *OKX_TICKS, *ACROSS_SIGNALS])
    asyncio.run(write_all(store_url, TAPE_EVENTS.name, [GAPS]))
    with embedded_broker() as broker:
        produce(broker, HEARTBEATS.name, [(encode(heartbeat("ingest", feed="live")), 1)])
        produce(broker, TICKS.name, [(encode(OKX_TICKS[-1]), 1)])
        produce(broker, TAPE_EVENTS.name, [(encode(event), 1) for event in EVENTS])
        with running_api(broker, store_url, variables=SETTINGS) as running:
            running.wait_for("/v1/status", lambda response: symbols(response.json())[OKX]["open_gaps"] == 20)
            running.wait_for("/v1/status", lambda response: bool(symbols(response.json())[OKX]["stale"]))
            yield running


def symbols(status: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["symbol"]: one for one in status["symbols"]}


def first_ids(rows: list[dict[str, Any]]) -> list[int]:
    return [row["first_id"] for row in rows]


def test_the_ledger_is_read_page_by_page_from_the_newest(api: ApiProcess) -> None:
    seen: list[int] = []
    link: str = "?limit=7"
    while link:
        response = api.http.get(f"/v1/gaps{link}")
        ledger = tape.GapLedger.model_validate(response.json(), strict=True)
        seen += [one.first_id for one in ledger.data]
        assert [one.symbol for one in ledger.coverage] == ["BTCUSDT", "ETHUSDT", OKX]
        link = response.headers.get("Link", "").partition(">")[0].lstrip("<")
    assert seen == [one.first_id for one in NEWEST_FIRST]


def test_a_gap_says_where_it_is_and_what_became_of_it(api: ApiProcess) -> None:
    (row,) = api.data("/v1/gaps", symbol=OKX.lower(), state="unrepaired", limit=1)
    (one, *_) = (one for one in NEWEST_FIRST if one.symbol == OKX and one.kind == "gap_unrepaired")
    assert row == {
        "symbol": OKX,
        "first_id": one.first_id,
        "last_id": one.last_id,
        "venue": "okx",
        "start_us": one.start_us,
        "start_time": "2026-01-01T00:00:25.000000Z",
        "end_us": one.end_us,
        "end_time": "2026-01-01T00:00:27.000000Z",
        "found_us": one.at_us,
        "found_time": "2026-01-01T01:00:00.000077Z",
        "updated_us": one.at_us,
        "updated_time": "2026-01-01T01:00:00.000077Z",
        "state": "unrepaired",
        "missing": 10,
        "reason": "=1, a formula",
    }


def test_filters_choose_by_state_and_by_the_time_a_gap_reaches_into(api: ApiProcess) -> None:
    by_state = {
        state: [one.first_id for one in group]
        for state, group in groupby(sorted(NEWEST_FIRST, key=lambda one: one.kind), lambda one: one.kind)
    }
    for kind in KINDS:
        assert first_ids(api.data("/v1/gaps", state=kind.removeprefix("gap_"))) == by_state[kind]
    still_open = {*by_state["gap_found"], *by_state["gap_unrepaired"]}
    assert set(first_ids(api.data("/v1/gaps", state="open"))) == still_open
    start, end = START_US + 5 * SECOND + 1, START_US + 6 * SECOND
    begun = {START_US + 4 * SECOND, START_US + 5 * SECOND}
    expected = [one.first_id for one in NEWEST_FIRST if one.start_us in begun]
    assert first_ids(api.data("/v1/gaps", start=start, end=end)) == expected


def test_csv_has_the_gaps_and_no_formula(api: ApiProcess) -> None:
    lines = api.get("/v1/gaps", format="csv", symbol=OKX, limit=2).text.splitlines()
    assert lines[0].split(",") == list(tape.Gap.model_fields)
    assert [line.split(",")[0] for line in lines[1:]] == [OKX, OKX]
    assert '"\'=1, a formula"' in api.get("/v1/gaps", format="csv", state="unrepaired").text


def test_coverage_and_status_say_how_complete_the_tape_is(api: ApiProcess) -> None:
    (coverage,) = api.get("/v1/gaps", symbol=OKX).json()["coverage"]
    assert coverage == {
        "symbol": OKX,
        "coverage_1h": 0.75,
        "coverage_24h": 0.875,
        "coverage_us": START_US,
        "coverage_time": "2026-01-01T00:00:00.000000Z",
        "open_gaps": 20,
        "missing": 200,
        "coverage_reason": None,
    }
    status = api.get("/v1/status").json()
    Status.model_validate(status, strict=True)
    okx, btc = symbols(status)[OKX], symbols(status)["BTCUSDT"]
    assert (okx["coverage_1h"], okx["coverage_24h"]) == (0.75, 0.875)
    assert (okx["open_gaps"], okx["stale"]) == (20, ["trades:BTC-USDT-SWAP"])
    assert (btc["coverage_1h"], btc["open_gaps"], btc["stale"]) == (None, 19, [])
    # Nobody has told it of the one; of the other it is known.
    assert (okx["coverage_reason"], "once a minute" in btc["coverage_reason"]) == (None, True)


def test_a_symbol_of_another_venue_works_in_every_route(api: ApiProcess) -> None:
    rows = api.data("/v1/ticks", symbol=OKX)
    assert [(row["trade_id"], row["repaired"]) for row in rows] == [(0, False), (1, True), (2, False)]
    assert len(api.data("/v1/bars", symbol=OKX.lower(), interval="1m")) == 1
    assert {row["symbol"] for row in api.data("/v1/symbols")} >= {"BTCUSDT", OKX}
    assert api.get(f"/v1/pairs/{ACROSS}").json()["x"] == OKX
    assert [row["pair"] for row in api.data(f"/v1/pairs/{ACROSS}/signals")] == [ACROSS] * 3
    assert api.get(f"/v1/pairs/{ACROSS}/signals", format="csv").text.splitlines()[1].startswith(ACROSS)
    assert api.data("/v1/alerts", pair=ACROSS) == []
