"""The watch over the disk: what it says, and when ticks are dropped."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from services.common.disk_space import GB, DiskSpace
from services.common.errors import AwayError
from services.common.heartbeat import HeartbeatState
from services.sink.disk_guard import DiskGuard, DroppedTicks

BEFORE = datetime(2026, 1, 31, 12, tzinfo=UTC)


class Disk:
    """A disk of 100 GB, and a store that drops ten ticks each time until `old` is used up."""

    def __init__(self, old: int = 9, fails: bool = False) -> None:
        self.free = 50 * GB
        self.drops = 0
        self.old = old
        self.fails = fails
        self.heartbeat = HeartbeatState("sink")
        self.heartbeat.state = "running"
        self.guard = DiskGuard(
            Path("/"), self.heartbeat, self._drop, lambda _: DiskSpace(100 * GB, self.free)
        )

    async def _drop(self) -> DroppedTicks | None:
        if self.fails:
            raise AwayError("the database", "expected PostgreSQL")
        self.drops += 1
        return DroppedTicks(BEFORE, 10) if self.drops <= self.old else None

    def look(self, free: float) -> str | None:
        """Return the detail of the heartbeat after a look at so many free gigabytes."""
        self.free = int(free * GB)
        asyncio.run(self.guard.look())
        message = self.heartbeat.message()
        assert (message.state == "degraded") == (free < 2)
        return message.detail


def test_a_disk_that_fills_is_said_and_goes_on() -> None:
    disk = Disk()
    assert disk.look(50) is None
    assert disk.look(9) == "the disk is nearly full: 9.0 of 100.0 GB free; free space, or keep fewer ticks"
    assert disk.look(50) is None
    assert disk.drops == 0


def test_ticks_are_dropped_once_and_again_only_when_the_disk_fills_further() -> None:
    disk = Disk(old=2)
    said = "the disk is full: 1.9 of 100.0 GB free; ticks from before 2026-01-31 12:00:00 UTC were dropped, bars stay"
    assert [disk.look(free) for free in (1.9, 1.9, 1.85)] == [said] * 3
    assert (disk.drops, disk.heartbeat.counters["dropped_ticks"]) == (1, 10)
    disk.look(1.7)
    assert disk.drops == 2
    last = disk.look(1.5)
    assert (
        last == "the disk is full: 1.5 of 100.0 GB free, and no tick is old enough to be dropped: free space"
    )
    assert disk.look(30) is None
    disk.look(1.9)
    assert disk.drops == 4


def test_what_the_writer_says_comes_first() -> None:
    disk = Disk()
    disk.look(9)
    disk.heartbeat.state, disk.heartbeat.detail = "degraded", "the broker does not answer"
    assert disk.heartbeat.message().detail == "the broker does not answer"


def test_a_database_that_is_away_is_tried_again() -> None:
    disk = Disk(fails=True)
    assert disk.look(1) == "the disk is full: 1.0 of 100.0 GB free"
    disk.fails = False
    disk.look(1)
    assert disk.drops == 1
