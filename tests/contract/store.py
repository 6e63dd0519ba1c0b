"""Helpers of the store's tests: messages to write, a writer, and bars recomputed in plain Python."""

import itertools
import math
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg import sql

from services.common.clock import HOUR, MINUTE, SECOND, from_datetime
from services.common.codec import encode
from services.common.settings import DatabaseSettings
from services.contracts.messages import Alert, Quality, Signal, TapeEvent, TapeEventKind, Tick
from services.sink.batch import PartitionBatch, RefusedMessage, SinkBatch
from services.sink.writer import SinkWriter, WriteResult
from services.store import database
from tests import builders

START_US = 1_767_225_600_000_000 - 90 * SECOND  # shortly before an hour ends
WIDTHS = {"ohlc_1s": SECOND, "ohlc_1m": MINUTE, "ohlc_5m": 5 * MINUTE, "ohlc_1h": HOUR}

Message = Tick | Signal | Alert | TapeEvent


def tick(trade_id: int, event_us: int = START_US, symbol: str = "BTCUSDT", price: float = 100.0) -> Tick:
    return builders.tick(
        symbol=symbol,
        trade_id=trade_id,
        event_us=event_us,
        received_us=event_us + 5,
        price=price,
        size=0.1 + trade_id % 7,
        buyer_is_maker=trade_id % 2 == 0,
    )


def signal(samples: int, quality: Quality = "ok", zscore: float | None = None, window: int = 300) -> Signal:
    return builders.signal(
        event_us=START_US,
        hedge_ratio=1.0 / samples,
        zscore=zscore,
        window=window,
        samples=samples,
        quality=quality,
    )


def alert(alert_id: str) -> Alert:
    return builders.alert(alert_id=alert_id, rule_id="entry", event_us=START_US)


def price_move(alert_id: str, subject: str = "BTCUSDT") -> Alert:
    """Return an alert of a rule that measures no z-score."""
    return Alert(
        alert_id=alert_id,
        rule="btc-moves",
        metric="price_move",
        subject=subject,
        event_us=START_US,
        state="firing",
        message="moved by 5.2 %",
        severity="critical",
        labels={"desk": "majors"},
        values={"price_move": 0.052, "limit": 0.05},
    )


def gap_event(
    kind: TapeEventKind, at_us: int, first_id: int = 10, missing: int | None = None, symbol: str = "BTCUSDT"
) -> TapeEvent:
    return TapeEvent(
        kind=kind,
        venue="binance",
        symbol=symbol,
        at_us=START_US + at_us,
        first_id=first_id,
        last_id=first_id + 9,
        start_us=START_US,
        end_us=START_US + SECOND,
        missing=missing,
        reason=f"{kind} at {at_us}",
    )


def batch_of(topic: str, messages: Iterable[Message], partition: int = 0, first: int = 0) -> SinkBatch:
    batch, place, held = SinkBatch(), PartitionBatch(topic, partition), list(messages)
    offsets = range(first, first + len(held))
    batch.records[topic].add(place, held, offsets, list(map(encode, held)))
    batch.read[place] = offsets.stop
    return batch


async def nothing(refused: Sequence[RefusedMessage]) -> None:
    raise AssertionError(f"expected no refused rows, received {refused}")


@asynccontextmanager
async def writer_of(url: str, cluster: str = "cluster") -> AsyncIterator[SinkWriter]:
    target = DatabaseSettings(database_url=url)
    async with database.connect(target, "test", prepare_threshold=None) as connection:
        writer = SinkWriter(connection)
        await writer.prepare()
        await writer.resume(cluster)
        yield writer


async def write_all(
    url: str, topic: str, batches: Iterable[Sequence[Message]], cluster: str = "cluster"
) -> list[WriteResult]:
    first, written = 0, []
    async with writer_of(url, cluster) as writer:
        for messages in batches:
            written.append(await writer.write(batch_of(topic, messages, first=first), nothing))
            first += len(messages)
    return written


def select(url: str, table: str) -> list[tuple[Any, ...]]:
    query = sql.SQL("SELECT * FROM {} ORDER BY 1, 2, 3").format(sql.Identifier(table))
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()


def recompute(ticks: Iterable[Tick], width: int) -> dict[tuple[str, int], list[Tick]]:
    """Return each bucket's ticks in the order of their ids."""
    ordered = sorted(ticks, key=lambda one: (one.symbol, one.event_us // width, one.trade_id, one.event_us))
    return {
        key: list(bucket)
        for key, bucket in itertools.groupby(ordered, lambda one: (one.symbol, one.event_us // width * width))
    }


def assert_bars(url: str, ticks: Iterable[Tick]) -> None:
    ticks = list(ticks)
    for table, width in WIDTHS.items():
        expected = recompute(ticks, width)
        rows = select(url, table)
        assert [(row[0], from_datetime(row[1])) for row in rows] == list(expected), table
        for row, trades in zip(rows, expected.values(), strict=True):
            prices = [one.price for one in trades]
            assert row[2:6] == (prices[0], max(prices), min(prices), prices[-1]), table
            assert math.isclose(row[6], math.fsum(one.size for one in trades), rel_tol=1e-12), table
            assert math.isclose(row[7], math.fsum(one.size * one.price for one in trades), rel_tol=1e-12), (
                table
            )
            assert row[8:] == (len(trades), trades[0].trade_id, max(one.trade_id for one in trades)), table


def one(url: str, query: str) -> Any:
    with psycopg.connect(url) as connection:
        row = connection.execute(query).fetchone()
        assert row is not None
        return row[0]
