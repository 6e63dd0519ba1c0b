"""Late and repaired ticks in bars, at once, on both stores, also when the sink dies after its commit."""

import asyncio

import msgspec
import pytest

from services.common.clock import HOUR, MINUTE, SECOND, now_us, to_datetime
from services.common.settings import DatabaseSettings
from services.contracts.messages import Tick
from services.store.bars.timescale import LEVELS, aggregated
from services.store.database import connect
from tests.contract.servers import insert
from tests.contract.store import assert_bars, batch_of, nothing, tick, writer_of

pytestmark = pytest.mark.integration

NOW_US = now_us()
IN_ORDER = [tick(number, NOW_US - 3 * HOUR + number * MINUTE) for number in range(0, 180, 2)]
LATE = [
    msgspec.structs.replace(tick(number, NOW_US - 3 * HOUR + number * MINUTE), repaired=True)
    for number in (1, 3, 77, 179)
]
# As late as no policy's offset reaches back.
OLD = [tick(1000 + number, NOW_US - 9 * 24 * HOUR + number * SECOND) for number in range(3)]


def aggregate(url: str) -> None:
    """Do to the end what policies do over time: all that is stored is aggregated."""

    async def refresh() -> None:
        async with connect(DatabaseSettings(database_url=url), "test") as connection:
            if await aggregated(connection):
                for level in LEVELS:
                    await connection.execute(
                        "CALL refresh_continuous_aggregate(%s::regclass, NULL, %s::timestamptz)",
                        [level.name, to_datetime(NOW_US)],
                    )

    asyncio.run(refresh())


async def write(url: str, *batches: list[Tick]) -> None:
    """Write on as a sink does that has been away; what a policy held meanwhile is refreshed when it is idle."""
    async with writer_of(url) as writer, asyncio.timeout(60):
        (first,) = (await writer.resume("cluster")).values() or (0,)
        for ticks in batches:
            await writer.write(batch_of("ticks", ticks, first=first), nothing)
            first += len(ticks)
        while not writer.refreshed:
            await writer.refresh()


def test_ticks_below_what_is_aggregated_show_once_they_are_written(store: str) -> None:
    asyncio.run(write(store, IN_ORDER))
    aggregate(store)
    asyncio.run(write(store, LATE[:2], [*LATE, *OLD[:1]], OLD))
    assert_bars(store, [*OLD, *IN_ORDER, *LATE])


@pytest.mark.parametrize("store_server", ["timescaledb"], indirect=True)
def test_what_a_dead_sink_has_not_refreshed_is_refreshed_by_the_next_one(store: str) -> None:
    asyncio.run(write(store, [*IN_ORDER, *OLD[:2]]))
    aggregate(store)
    insert(store, [*LATE, OLD[2]])
    asyncio.run(write(store))
    assert_bars(store, [*OLD, *IN_ORDER, *LATE])
