from datetime import UTC, datetime

import pytest
from msgspec import Struct
from psycopg.types.datetime import TimestamptzBinaryLoader

from services.common.clock import from_datetime
from services.contracts.messages import Alert, Signal, TapeEvent, Tick
from services.sink.batch import KINDS, LOSSES
from services.sink.tables import TABLES

MOMENT = datetime(2026, 1, 31, 12, 0, 0, 123_457, tzinfo=UTC)
MESSAGES: dict[str, Struct] = {
    "ticks": Tick(
        venue="binance",
        symbol="BTCUSDT",
        trade_id=1,
        event_us=from_datetime(MOMENT),
        received_us=from_datetime(MOMENT),
        price=2.0,
        size=3.0,
        buyer_is_maker=True,
        repaired=True,
    ),
    "signals": Signal(
        pair="ETHUSDT-BTCUSDT",
        event_us=from_datetime(MOMENT),
        y_price=1.0,
        x_price=2.0,
        hedge_ratio=3.0,
        intercept=4.0,
        method="ols",
        spread=5.0,
        zscore=6.0,
        correlation=0.5,
        window=300,
        samples=299,
        quality="ok",
        late=2,
        revision=1,
    ),
    "alerts": Alert(
        alert_id="a",
        rule_id="entry",
        pair="ETHUSDT-BTCUSDT",
        event_us=from_datetime(MOMENT),
        state="firing",
        value=3.0,
        threshold=2.0,
        message="above",
        y_age_s=0.2,
        x_age_s=4.1,
        retracts="b",
    ),
    "tape-events": TapeEvent(
        kind="gap_unrepaired",
        venue="binance",
        symbol="BTCUSDT",
        at_us=from_datetime(MOMENT),
        first_id=10,
        last_id=19,
        start_us=from_datetime(MOMENT),
        end_us=from_datetime(MOMENT),
        missing=4,
        reason="older than the venue keeps",
    ),
    LOSSES: TapeEvent(
        kind="messages_lost",
        venue="",
        symbol="",
        at_us=from_datetime(MOMENT),
        reader="sink",
        topic="ticks",
        partition=3,
        messages=12,
    ),
}
RENAMED = {
    "ts": "event_us",
    "received_at": "received_us",
    "start_ts": "start_us",
    "end_ts": "end_us",
    "found_at": "at_us",
    "updated_at": "at_us",
    "at": "at_us",
    "state": "kind",
}
_COVERAGE = {"stream", "coverage_1h", "coverage_24h"}
_GAP = {"venue", "symbol", "first_id", "last_id", "start_us", "end_us", "missing", "reason"}
# What of a message is not in its table: no event of a gap, no loss, no final signal and no tick that is stored has it.
NO_COLUMN = {
    "tape-events": {*_COVERAGE, "reader", "topic", "partition", "messages", "state"},
    LOSSES: {*_COVERAGE, *_GAP, "kind", "state"},
    "signals": {"closed", "price_correlation"},
    "ticks": {"marks"},
}


def test_every_topic_that_is_read_has_a_table() -> None:
    assert TABLES.keys() == {*KINDS, LOSSES}


@pytest.mark.parametrize("topic", TABLES)
def test_each_column_holds_the_field_of_its_name(topic: str) -> None:
    message, table = MESSAGES[topic], TABLES[topic]
    renamed = {column: RENAMED[column] for column in table.columns if column in RENAMED}
    if topic == "alerts":
        del renamed["state"]
    fields = {renamed.get(column, column) for column in table.columns}
    assert fields == set(message.__struct_fields__) - NO_COLUMN.get(topic, set())
    for column, value in zip(table.columns, table.row(message), strict=True):
        if column not in renamed:
            assert value == getattr(message, column), column


def test_times_are_written_as_postgresql_reads_them() -> None:
    row = TABLES["ticks"].row(MESSAGES["ticks"])
    assert isinstance(row[1], int)
    assert TimestamptzBinaryLoader(0).load(row[1].to_bytes(8, "big")) == MOMENT
