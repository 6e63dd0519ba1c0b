"""What the board says, by the clock of the broker alone."""

from typing import Literal

import msgspec

from services.common.clock import HOUR, SECOND
from services.contracts.conditions import Condition
from services.contracts.messages import (
    DeliveryLag,
    Heartbeat,
    RadarEvent,
    ServiceState,
    TapeEvent,
    TapeEventKind,
    TradeRate,
)
from services.contracts.radar_messages import RadarEventKind
from services.contracts.rules import Rule
from services.rules.alerts import alert_of
from services.rules.board import Board
from services.rules.engine import Engine

START_US = 1_767_225_600_000_000


def beat(
    board: Board,
    second: float,
    service: str = "sink",
    *,
    instance: str = "one",
    state: ServiceState = "running",
    lost: int = 0,
    started: float = 0,
    delivery: dict[str, DeliveryLag] | None = None,
    rates: dict[str, TradeRate] | None = None,
) -> None:
    """Have a process beat; its own clock is far behind."""
    board.beat(
        Heartbeat(
            service=service,
            instance=instance,
            at_us=0,
            started_us=START_US + round(started * SECOND),
            state=state,
            version="1",
            lost={"ticks": lost} if lost else {},
            delivery=delivery or {},
            trade_rates=rates or {},
            disk_free=0.5,
        ),
        START_US + round(second * SECOND),
    )


def state(board: Board, second: int, state: Literal["live", "removed"]) -> None:
    """Have the state of a symbol change."""
    at_us = START_US + second * SECOND
    board.event(
        TapeEvent(kind="symbol_state", venue="binance", symbol="BTCUSDT", at_us=at_us, state=state), at_us
    )


def event(board: Board, kind: TapeEventKind, second: int, missing: int = 0, first_id: int = 1) -> None:
    """Have something happen to a tape."""
    at_us = START_US + second * SECOND
    board.event(
        TapeEvent(
            kind=kind,
            venue="binance",
            symbol="BTCUSDT",
            at_us=at_us,
            stream="btcusdt@aggTrade",
            first_id=first_id,
            last_id=first_id + 9,
            start_us=at_us,
            end_us=at_us,
            missing=missing,
        ),
        at_us,
    )


def on_radar(
    board: Board, kind: RadarEventKind, second: int, radar: str = "default", pair: str = "BTCUSDT-ETHUSDT"
) -> None:
    """Have a radar tell of a pair that it confirmed in a second."""
    at_us = START_US + second * SECOND
    event = RadarEvent(
        event_id="one", radar=radar, kind=kind, pair=pair, at_us=at_us, confirmed_us=at_us, p_value=0.01
    )
    board.radar_event(event, at_us)


def values(board: Board, subject: str) -> list[dict[str, float]]:
    """Return what is said of a subject in each second since the last time."""
    return [dict(seen.values) for _, name, seen in board.observations() if name == subject]


def test_each_second_is_said_once() -> None:
    board = Board()
    beat(board, 0.5)
    assert len(values(board, "sink")) == 1
    beat(board, 0.9)
    assert values(board, "sink") == []
    beat(board, 3.1)
    assert len(values(board, "sink")) == 3


def test_a_service_is_silent_since_the_last_of_its_processes() -> None:
    board = Board()
    beat(board, 1, instance="one")
    beat(board, 2, instance="two")
    values(board, "sink")
    beat(board, 30, "api")
    *_, last = values(board, "sink")
    assert last == {"silent_s": 28, "lost_messages": 0}


def test_whoever_says_goodbye_is_not_silent() -> None:
    board = Board()
    beat(board, 1)
    beat(board, 2, state="stopping")
    beat(board, 30, "api")
    assert values(board, "sink") == []
    assert board.gone() == [("service", "sink")]


def test_after_a_pause_of_all_nobody_is_silent() -> None:
    board = Board()
    beat(board, 1)
    beat(board, 1, "api")
    values(board, "sink")
    beat(board, 5_000, "api")
    assert [one["silent_s"] for one in values(board, "sink")] == [1]


def test_lost_messages_add_up_over_restarts() -> None:
    board = Board()
    beat(board, 1, lost=2)
    beat(board, 2, lost=5)
    beat(board, 3, instance="two")
    beat(board, 4, instance="two", lost=1)
    assert values(board, "sink")[-1]["lost_messages"] == 6


def test_a_gap_counts_until_it_is_repaired_or_an_hour_old() -> None:
    board = Board()
    event(board, "gap_found", 1, missing=7)
    event(board, "gap_found", 1, missing=2, first_id=100)
    beat(board, 2)
    assert values(board, "BTCUSDT")[-1]["missing_trades"] == 9
    event(board, "gap_repaired", 3)
    event(board, "gap_found", 2, missing=7)
    beat(board, 4)
    assert values(board, "BTCUSDT")[-1]["missing_trades"] == 2
    beat(board, 2 + HOUR / SECOND)
    assert values(board, "BTCUSDT")[-1]["missing_trades"] == 0


def test_a_stream_is_stale_until_it_lives_or_ingest_begins_anew() -> None:
    board = Board()
    event(board, "stream_stale", 5)
    beat(board, 6, "ingest", delivery={"BTCUSDT": DeliveryLag(1, 2, 3)})
    assert values(board, "BTCUSDT")[-1] == {"stream_stale": 1, "missing_trades": 0, "delivery_lag_ms": 3}
    event(board, "stream_live", 7)
    event(board, "stream_stale", 6)
    beat(board, 8, "ingest")
    assert values(board, "BTCUSDT")[-1]["stream_stale"] == 0
    event(board, "stream_stale", 9)
    beat(board, 20, "ingest", instance="two", started=15)
    assert values(board, "BTCUSDT")[-1]["stream_stale"] == 0


def test_rates_are_those_of_the_process_that_sees_most_while_it_lives() -> None:
    board = Board()
    beat(board, 0, "ingest", rates={"BTCUSDT": TradeRate(2.0, 500.0)})
    beat(board, 0, "ingest", instance="two", rates={"BTCUSDT": TradeRate(1.5, 400.0)})
    beat(board, 2, "ingest", instance="two", rates={"BTCUSDT": TradeRate(0.0, 0.0)})
    newest = values(board, "BTCUSDT")[-1]
    assert (newest["trade_rate"], newest["quote_volume_1m"]) == (2.0, 30_000.0)
    beat(board, 6, "ingest", instance="two", rates={"BTCUSDT": TradeRate(0.0, 0.0)})
    assert values(board, "BTCUSDT")[-1]["trade_rate"] == 0.0


def test_rules_see_how_far_and_how_restlessly_the_price_of_a_symbol_moves() -> None:
    board, engine, fired = Board(), Engine(60 * SECOND), list[str]()
    moves = Condition(metric="price", operator="changes_by", fire=5.0, percent=True, over_s=10)
    restless = Condition(metric="volatility", operator="above", fire=5.0, over_s=10)
    conditions = {"moves": moves, "restless": restless}
    engine.configure({name: Rule(id=name, conditions=(one,)) for name, one in conditions.items()})
    for second in range(30):
        price = 100.0 if second < 20 else 106.0
        beat(board, second, "ingest", rates={"BTCUSDT": TradeRate(1.0, price, price)})
        for kind, name, seen in board.observations():
            told = map(alert_of, engine.observe(kind, name, seen))
            fired += [f"{one.rule_id} {one.subject} {one.state} {one.value:.2f}" for one in told]
    assert sorted(fired) == ["moves BTCUSDT firing 6.00", "restless BTCUSDT firing 5.83"]


def test_an_ingest_that_tells_no_price_has_none() -> None:
    board = Board()
    beat(board, 0, "ingest", rates={"BTCUSDT": TradeRate(1.0, 100.0)})
    beat(board, 2, "ingest", rates={"BTCUSDT": TradeRate(1.0, 100.0)})
    assert "price" not in values(board, "BTCUSDT")[-1]


def test_a_symbol_that_is_removed_is_gone_once_and_comes_back() -> None:
    board = Board()
    beat(board, 0, "ingest", delivery={"BTCUSDT": DeliveryLag(1, 2, 3)})
    beat(board, 1)
    assert len(values(board, "BTCUSDT")) > 0
    state(board, 1, "removed")
    assert board.gone() == [("symbol", "BTCUSDT")]
    # Its last trades are of the last minute still.
    beat(board, 3, "ingest", delivery={"BTCUSDT": DeliveryLag(1, 2, 3)}, rates={"BTCUSDT": TradeRate(1, 1)})
    state(board, 3, "removed")
    assert (values(board, "BTCUSDT"), board.gone()) == ([], [])
    state(board, 4, "live")
    beat(board, 6, "ingest")
    assert len(values(board, "BTCUSDT")) > 0
    state(board, 7, "removed")
    assert board.gone() == [("symbol", "BTCUSDT")]


def test_a_pair_is_confirmed_while_one_radar_confirms_it_whichever_way_round() -> None:
    board = Board()
    on_radar(board, "confirmed", 1)
    on_radar(board, "confirmed", 2, "hours", "ETHUSDT-BTCUSDT")
    beat(board, 3)
    assert values(board, "BTCUSDT-ETHUSDT") == [{"radar_confirmed": 1}]
    on_radar(board, "ended", 2, "hours")
    on_radar(board, "confirmed", 2, "hours")
    beat(board, 4)
    assert values(board, "BTCUSDT-ETHUSDT") == [{"radar_confirmed": 1}]
    on_radar(board, "ended", 1, pair="ETHUSDT-BTCUSDT")
    beat(board, 5)
    assert values(board, "BTCUSDT-ETHUSDT") == [{"radar_confirmed": 0}]
    on_radar(board, "confirmed", 6)
    beat(board, 7)
    assert values(board, "BTCUSDT-ETHUSDT")[-1] == {"radar_confirmed": 1}
    # It is known for as long as it is confirmed, and for a day after that.
    beat(board, 8 + 25 * HOUR / SECOND)
    assert board.gone() == []
    on_radar(board, "ended", 6)
    assert board.gone() == [("radar", "BTCUSDT-ETHUSDT")]


def test_before_the_first_heartbeat_there_is_no_time_to_say_anything_of() -> None:
    board = Board()
    on_radar(board, "confirmed", 1)
    assert list(board.observations()) == []
    beat(board, 2)
    assert values(board, "BTCUSDT-ETHUSDT") == [{"radar_confirmed": 1}]


def test_a_board_comes_back_as_it_went() -> None:
    board = Board()
    beat(board, 1, lost=2)
    event(board, "gap_found", 1, missing=7)
    on_radar(board, "confirmed", 1)
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(board), type=Board)
    for one in (board, again):
        beat(one, 3, lost=3)
    assert list(again.observations()) == list(board.observations())
