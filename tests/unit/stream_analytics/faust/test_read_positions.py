"""Read positions of ticks: stored when they move, by a worker that may write."""

import asyncio
from collections.abc import Mapping
from typing import Any

from faust.types import TP

from services.stream_analytics.faust.read_positions import ReadPositions, owner
from services.stream_analytics.partition_assignment import partition_of

TICKS, MARKS = TP("ticks", 2), TP("time-marks", 2)


def saved(positions: ReadPositions, committed: Mapping[TP, int | None], *writable: int) -> list[int]:
    """Return of which partitions something was sent."""
    sent: list[int] = []

    async def send(_: str, partition: int, **__: Any) -> None:
        sent.append(partition)

    asyncio.run(positions.save(committed, committed, lambda number: number in writable, send))
    return sent


def test_what_moves_is_stored_and_found_again() -> None:
    table: dict[bytes, bytes] = {b"ETHUSDT-BTCUSDT/60/ols/none/2/head": b"\0"}
    positions = ReadPositions(table)
    committed = {TICKS: 7, MARKS: 3, TP("ticks", 0): 5, TP("ticks", 1): None, TP("leg-trades", 2): 9}
    assert saved(positions, committed, 1, 2) == [2, 1]
    assert saved(positions, committed, 1, 2) == []
    assert saved(positions, {**committed, MARKS: 4}, 1, 2) == [2]
    # What nothing has been committed of is not read at all, or not yet again.
    assert saved(positions, {**committed, MARKS: None}, 1, 2) == []
    assert ReadPositions(table).stored() == {TICKS: 7, MARKS: 4, TP("ticks", 1): 0}


def test_each_key_of_the_table_has_a_partition() -> None:
    table: dict[bytes, bytes] = {}
    saved(ReadPositions(table), {TICKS: 7}, 2)
    assert [owner(key, 4) for key in table] == [2]
    assert owner(b"ETHUSDT-BTCUSDT/60/head", 4) == partition_of("ETHUSDT-BTCUSDT", 4)
