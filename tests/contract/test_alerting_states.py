"""States of alerting in the store: all or nothing, and nothing by a process that has lost its partition."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from services.alerting.states import FencedError, States
from services.common.settings import DatabaseSettings
from services.store import database
from services.store.offsets import PartitionBatch

PLACE = PartitionBatch("signals", 0)


class Some(msgspec.Struct):
    number: int


def run(url: str, use: Callable[[States, States], Awaitable[None]]) -> None:
    """Have two processes use the store."""

    async def both() -> None:
        settings = DatabaseSettings(database_url=url)
        async with database.connect(settings, "one") as one, database.connect(settings, "two") as two:
            first, second = States(one, "cluster"), States(two, "cluster")
            for states in (first, second):
                await states.prepare()
                await states.offsets()
            await use(first, second)

    asyncio.run(both())


def test_states_offsets_and_what_is_told_come_back(store: str) -> None:
    async def use(first: States, second: States) -> None:
        letters = await first.save(
            {PLACE: 7}, {("pair", "A"): Some(1), ("pair", "B"): Some(2)}, [("A", b"1"), ("A", b"2")]
        )
        assert [(letter.subject, letter.message) for letter in letters] == [("A", b"1"), ("A", b"2")]
        assert await second.offsets() == {PLACE: 7}
        assert await second.load(["pair"], Some) == {("pair", "A"): Some(1), ("pair", "B"): Some(2)}
        assert await second.outbox() == letters
        await second.save({PLACE: 8}, {("pair", "A"): None, ("pair", "B"): Some(3)}, (), letters[:1])
        assert await first.load(["pair"], Some) == {("pair", "B"): Some(3)}
        assert await first.outbox() == letters[1:]

    run(store, use)


def test_who_has_lost_the_partition_writes_nothing(store: str) -> None:
    async def use(first: States, second: States) -> None:
        await first.save({PLACE: 1}, {("pair", "A"): Some(1)})
        with pytest.raises(FencedError, match="another alerting has written this partition"):
            await second.save({PLACE: 5}, {("pair", "A"): Some(9)}, [("A", b"told")])
        assert await first.load(["pair"], Some) == {("pair", "A"): Some(1)}
        assert await first.outbox() == []
        assert await second.offsets() == {PLACE: 1}
        await second.save({PLACE: 5}, {})

    run(store, use)
