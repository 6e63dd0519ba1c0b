"""The stored past of a new pair: from the store to the first live trade nothing is missing, or it is not there."""

import asyncio
import socket
from collections.abc import Iterable, Sequence

import psycopg
import pytest

from services.common.clock import SECOND, to_datetime
from services.common.codec import encode
from services.common.errors import TransientError
from services.common.kafka import clients
from services.common.kafka.publisher import partition_of_key
from services.contracts.messages import LegTrade, Tick
from services.contracts.topics import TICKS
from services.store import database, offsets
from services.store.offsets import PartitionBatch
from services.stream_analytics import stored_past
from services.stream_analytics.pair_filling import Span
from services.stream_analytics.settings import StreamSettings
from services.stream_analytics.stored_past import StoredPast
from tests.broker import first_offsets, produce
from tests.builders import tick
from tests.fix_broker import embedded_broker

pytestmark = pytest.mark.integration

START_US = 1_767_225_600_000_000
SYMBOL = "BTCUSDT"
PARTITION = partition_of_key(SYMBOL.encode(), range(4))
COUNT = 3_000
_BARS = """
INSERT INTO ohlc_1s SELECT symbol, date_trunc('second', ts), 1, 1, 1, 1, 1, 1, count(*), min(trade_id), max(trade_id)
FROM ticks GROUP BY symbol, date_trunc('second', ts)
"""


def trades(count: int) -> list[Tick]:
    """Return trades of half a minute, whose ids are one more than their offsets on the topic."""
    step_us = 30 * SECOND // count
    return [tick(1 + offset, START_US + offset * step_us, SYMBOL) for offset in range(count)]


def store(url: str, ticks: Iterable[Tick]) -> None:
    """Store ticks with their bars."""
    rows = [(one.symbol, to_datetime(one.event_us), one.trade_id, to_datetime(one.event_us)) for one in ticks]
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.executemany("INSERT INTO ticks VALUES (%s, %s, %s, 'binance', %s, 1, 1, false, false)", rows)
        cursor.execute(_BARS)


def span(ticks: Sequence[Tick], live: int) -> Span:
    """Return what a pair wants whose first trade is the one at `live`, and which has had no other yet."""
    first = ticks[live]
    return Span(START_US, first.event_us, first.event_us, first.trade_id)


async def read(settings: StreamSettings, wanted: Span, read_until: int | None = None) -> list[LegTrade]:
    """Return the past of the symbol, where the sink has stored that it read up to the offset `read_until`."""
    if read_until is not None:
        own = settings.model_copy(update={"history_database_url": None})
        async with database.connect(own.history, "test") as connection:
            following = {PartitionBatch(TICKS.name, PARTITION): read_until}
            await offsets.advance(connection, await clients.cluster_id(settings), {}, following)
    past = await StoredPast(settings).read({SYMBOL: wanted})
    return list(past[SYMBOL].before(wanted))


def first_of_whole(past: Sequence[LegTrade], live: int) -> int:
    """Return the first id of a past; AssertionError if one is missing between it and the trade at `live`."""
    first = following = past[0].first_id or past[0].trade_id
    for trade in past:
        assert (trade.first_id or trade.trade_id) <= following
        following = max(following, trade.trade_id + 1)
    assert following > live
    return first


@pytest.mark.parametrize(
    ("stored", "read_until", "live"),
    [
        pytest.param(0, None, 2_990, id="nothing is stored"),
        pytest.param(700, 700, 2_990, id="the sink is behind"),
        pytest.param(750, 750, 755, id="the sink is just behind, and within a second"),
        pytest.param(COUNT, COUNT, 1_455, id="the worker is behind, and within a second"),
        pytest.param(700, 10_000, 2_990, id="the offset is of an earlier topic"),
    ],
)
def test_nothing_is_missing_before_the_first_live_trade_however_little_time_there_is(
    broker: str,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    stored: int,
    read_until: int | None,
    live: int,
) -> None:
    """Of what nobody needs for that nothing is read: the time for it is over before it begins."""
    monkeypatch.setattr(stored_past, "_TOPIC_S", -1.0)
    ticks = trades(COUNT)
    produce(broker, TICKS.name, ((encode(one), PARTITION) for one in ticks))
    store(database_url, ticks[:stored])
    settings = StreamSettings(brokers=broker, database_url=database_url, fetch_max_wait_ms=5)
    past = asyncio.run(read(settings, span(ticks, live), read_until))
    assert first_of_whole(past, live) == 1


def test_without_the_database_the_topic_is_all_there_is(broker: str) -> None:
    ticks = trades(COUNT)
    produce(broker, TICKS.name, ((encode(one), PARTITION) for one in ticks))
    away = "postgresql://nobody@127.0.0.1:1/nothing"
    settings = StreamSettings(brokers=broker, database_url=away, fetch_max_wait_ms=5)
    past = asyncio.run(read(settings, span(ticks, 2_990)))
    assert first_of_whole(past, 2_990) == 1
    assert len(past) == 2_990


@pytest.mark.parametrize("is_replayed", [False, True])
def test_what_is_stored_before_a_hole_is_no_past(database_url: str, is_replayed: bool) -> None:
    """A database that is replayed has everything by itself, and no offsets."""
    ticks = trades(1_500)
    with embedded_broker() as broker:
        long = (encode(one)[:-1] + b',"x":"' + b"x" * 8_000 + b'"}' for one in ticks)
        produce(broker, TICKS.name, ((one, PARTITION) for one in long))
        kept = first_offsets(broker, TICKS.name)[PARTITION]
        assert 10 < kept < 1_400, "the broker keeps some"
        store(database_url, ticks[: 1_500 if is_replayed else 10])
        settings = StreamSettings(
            brokers=broker,
            database_url=database_url,
            history_database_url=database_url if is_replayed else None,
            fetch_max_wait_ms=5,
        )
        past = asyncio.run(read(settings, span(ticks, 1_490), None if is_replayed else 10))
    assert first_of_whole(past, 1_490) == (1 if is_replayed else 1 + kept)


def test_without_the_topic_there_is_no_past_at_all(database_url: str) -> None:
    """The sink has everything but what is live: that nothing is missing before it only the topic can tell."""
    ticks = trades(COUNT)
    store(database_url, ticks[:2_980])
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        settings = StreamSettings(
            brokers=f"127.0.0.1:{deaf.getsockname()[1]}",
            database_url=database_url,
            history_database_url=database_url,
        )
        with pytest.raises(TransientError, match="expected the newest ticks, received "):
            asyncio.run(read(settings, span(ticks, 2_990)))
