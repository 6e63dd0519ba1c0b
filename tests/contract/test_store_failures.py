"""Every store under failures: a refused row, a second writer, a server that goes away."""

import asyncio
import math
from collections.abc import Sequence

import psycopg
import pytest
from msgspec import structs

from services.common.codec import encode
from services.common.errors import FatalError, TransientError
from services.contracts.messages import Tick
from services.sink.batch import PartitionBatch, RefusedMessage
from services.sink.writer import FencedError, WriteResult
from tests.contract.store import (
    START_US,
    alert,
    assert_bars,
    batch_of,
    nothing,
    price_move,
    select,
    tick,
    writer_of,
)

POISON = {
    "a NUL in a text": tick(7, symbol="BTC\0USDT"),
    "a price that is not positive": tick(7, price=-1.0),
    "a time beyond the calendar": tick(7, event_us=9_224_318_016_000_000_000),
    "a time beyond 64 bits": tick(7, event_us=10**30),
    "a symbol too long for the index": tick(
        7, symbol="".join(chr(0x4E00 + n * 7 % 9973) for n in range(9000))
    ),
    "a price that no bar can sum": tick(9, price=1.7e308),
}


@pytest.mark.parametrize("poison", POISON.values(), ids=POISON)
def test_a_refused_row_is_buried_and_all_others_are_kept(store: str, poison: Tick) -> None:
    good = [tick(n, START_US + n * 1000, price=n + 1.0) for n in range(100)]
    buried: list[RefusedMessage] = []

    async def dead_letter(refused: Sequence[RefusedMessage]) -> None:
        buried.extend(refused)

    async def run() -> WriteResult:
        async with writer_of(store) as writer:
            written = await writer.write(batch_of("ticks", [*good[:37], poison, *good[37:]]), dead_letter)
            assert await writer.resume("cluster") == {PartitionBatch("ticks", 0): 101}
            return written

    assert asyncio.run(run()) == WriteResult({"ticks": 100}, 0)
    assert [(one.offset, one.raw) for one in buried] == [(37, encode(poison))]
    assert "refused" in buried[0].reason
    assert_bars(store, good)


def test_an_alert_that_the_database_refuses_is_buried_and_all_others_are_kept(store: str) -> None:
    poison = [
        structs.replace(price_move("b"), labels={"desk": "a\0b"}),
        structs.replace(price_move("c"), severity="odd"),
        structs.replace(price_move("d"), values={"price_move": math.inf}),
    ]
    buried: list[RefusedMessage] = []

    async def dead_letter(refused: Sequence[RefusedMessage]) -> None:
        buried.extend(refused)

    async def run() -> WriteResult:
        async with writer_of(store) as writer:
            messages = [price_move("a"), *poison, alert("e")]
            return await writer.write(batch_of("alerts", messages), dead_letter)

    assert asyncio.run(run()) == WriteResult({"alerts": 2}, 0)
    assert [row[0] for row in select(store, "alerts")] == ["a", "e"]
    assert [one.offset for one in buried] == [1, 2, 3]
    assert all("the database refused it" in one.reason for one in buried)


def test_nothing_is_written_when_refused_rows_cannot_be_buried(store: str) -> None:
    async def fail(refused: Sequence[RefusedMessage]) -> None:
        raise TransientError("the broker is away")

    async def run() -> None:
        async with writer_of(store) as writer:
            with pytest.raises(TransientError, match="the broker is away"):
                await writer.write(batch_of("ticks", [tick(1), tick(2, price=-1.0)]), fail)

    asyncio.run(run())
    assert select(store, "ticks") == select(store, "stream_offsets") == []


def test_a_lost_connection_is_transient_and_writes_nothing(store: str) -> None:
    async def run() -> None:
        async with writer_of(store) as writer:
            with psycopg.connect(store, autocommit=True) as admin:
                admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = 'test' AND datname = current_database()"
                )
            with pytest.raises(TransientError):
                await writer.write(batch_of("ticks", [tick(1)]), nothing)

    asyncio.run(run())
    assert select(store, "ticks") == []


def test_a_missing_table_is_fatal(store: str) -> None:
    async def run() -> None:
        async with writer_of(store) as writer:
            with psycopg.connect(store) as admin:
                admin.execute("ALTER TABLE stream_offsets RENAME TO moved")
            try:
                with pytest.raises(FatalError, match="stream_offsets"):
                    await writer.write(batch_of("ticks", [tick(1)]), nothing)
            finally:
                with psycopg.connect(store) as admin:
                    admin.execute("ALTER TABLE moved RENAME TO stream_offsets")

    asyncio.run(run())
    assert select(store, "ticks") == []


def test_a_partition_belongs_to_one_writer(store: str) -> None:
    async def run() -> None:
        async with writer_of(store) as ours, writer_of(store) as theirs:
            await ours.write(batch_of("ticks", [tick(1)]), nothing)
            with pytest.raises(FencedError, match="ticks/0"):
                await theirs.write(batch_of("ticks", [tick(2)]), nothing)
            assert await theirs.resume("cluster") == {PartitionBatch("ticks", 0): 1}
            await theirs.write(batch_of("ticks", [tick(3)], first=1), nothing)
            with pytest.raises(FencedError, match="expected offset 1"):
                await ours.write(batch_of("ticks", [tick(4)], first=1), nothing)

    asyncio.run(run())
    assert [row[2] for row in select(store, "ticks")] == [1, 3]
    assert_bars(store, [tick(1), tick(3)])


def test_offsets_belong_to_one_cluster(store: str) -> None:
    async def run() -> None:
        async with writer_of(store, "yesterday") as writer:
            await writer.write(batch_of("ticks", [tick(1)], first=500), nothing)
            assert await writer.resume("today") == {}
            await writer.write(batch_of("ticks", [tick(2)]), nothing)
            assert await writer.resume("yesterday") == {PartitionBatch("ticks", 0): 501}

    asyncio.run(run())
