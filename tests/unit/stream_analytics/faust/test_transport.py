import asyncio
from collections.abc import Collection, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from faust.types import TP

from services.common.kafka.dead_letters import DeadLetter
from services.common.unreadable import Unreadable
from services.stream_analytics.settings import StreamSettings
from tests.unit.stream_analytics.fake_consumer import PLACE, TICKS, Thread, consumer


def test_a_seek_waits_for_the_fetch_that_is_under_way_and_none_begins_meanwhile() -> None:
    async def run() -> list[str]:
        one, thread = consumer(), Thread()
        one._thread = thread
        fetch = asyncio.create_task(one._getmany({PLACE}, 1.0))
        await asyncio.sleep(0)
        seeks = [asyncio.create_task(seek) for seek in (one.seek_wait({PLACE: 0}), one.perform_seek())]
        await asyncio.sleep(0)
        thread.arrived.set()
        await asyncio.gather(fetch, *seeks, one._getmany({PLACE}, 1.0))
        return thread.said

    assert asyncio.run(run()) == ["fetching", "fetched", "sought", "sought", "fetching", "fetched"]


def test_what_is_resumed_does_not_flow_before_the_seek_that_follows() -> None:
    async def run() -> bool:
        one = consumer()
        one._active_partitions = set()
        assert one.flow_active
        one.resume_partitions({PLACE})
        return bool(one.flow_active)

    assert not asyncio.run(run())


class Broker:
    """What Faust's consumer asks of its thread: fetches of given offsets, and the first offset there is."""

    def __init__(self, earliest: int, *fetches: list[int], values: Mapping[int, bytes] | None = None) -> None:
        self._earliest = earliest
        self._fetches = iter(fetches)
        self._values = values or {}
        self.asked: list[set[TP]] = []

    async def getmany(self, active: set[TP], *_: object) -> dict[TP, Any]:
        """Fetch."""
        self.asked.append(active)
        records = [
            SimpleNamespace(
                topic=TICKS.topic,
                partition=1,
                offset=offset,
                timestamp=0,
                value=self._values.get(offset, b""),
            )
            for offset in next(self._fetches)
        ]
        return dict.fromkeys(active, records)

    async def earliest(self, partitions: Collection[TP]) -> dict[TP, int]:
        """Return the first offset of each."""
        return dict.fromkeys(partitions, self._earliest)

    async def seek_to_committed(self) -> dict[TP, int]:
        """Return where a group goes on."""
        return {TICKS: 10}


def missed(earliest: int, *fetches: list[int]) -> list[tuple[int, bool]]:
    """Return what is counted and said at each fetch; the group goes on at 10, the fetches bring these offsets."""
    counted: list[int] = []

    async def run() -> list[tuple[int, bool]]:
        one = consumer(None, frozenset, lambda _, __, count: counted.append(count))
        one._thread = Broker(earliest, *fetches)
        await one.perform_seek()
        found = []
        for _ in fetches:
            (made,) = (await one._getmany({TICKS}, 1.0))[TICKS]
            found.append((sum(counted), made.value.is_after_loss))
        return found

    return asyncio.run(run())


def test_messages_that_the_broker_deleted_before_they_were_read_are_counted() -> None:
    assert missed(0, [10, 11], [12, 13]) == [(0, False)] * 2
    # Until it is acknowledged, for Faust may drop what was fetched.
    assert missed(25, [25, 26], [27]) == [(15, True)] * 2
    assert missed(25, [10, 11], [25, 26]) == [(0, False), (13, True)]


def test_offsets_that_are_missing_where_nothing_was_deleted_are_no_loss() -> None:
    assert missed(0, [10, 11], [13, 14]) == [(0, False)] * 2
    assert missed(11, [10], [14]) == [(0, False)] * 2


def test_messages_that_nobody_can_read_are_a_loss_and_what_a_producer_took_back_is_none() -> None:
    async def run() -> list[bool]:
        found = []
        for is_lost in (True, False):
            one = consumer()
            one._thread = Broker(0, [10, 15, 16], [17], values={15: Unreadable(b"", 11, 15, "why", is_lost)})
            for _ in range(2):
                (made,) = (await one._getmany({TICKS}, 1.0))[TICKS]
                found.append(made.value.is_after_loss)
        return found

    assert asyncio.run(run()) == [True, True, False, False]


def test_state_that_nobody_can_read_is_put_aside_and_what_follows_it_is_after_a_loss() -> None:
    buried: list[DeadLetter] = []

    async def dead_letter(letters: Sequence[DeadLetter]) -> None:
        buried.extend(letters)

    async def run() -> None:
        one = consumer(None, frozenset, lambda *_: None, dead_letter)
        values = {1: Unreadable(b"", 1, 1, "why"), 2: Unreadable(b"", 2, 2, "why")}
        one._thread = Broker(0, [0, 1], [2], values=values)
        assert [record.offset for record in (await one._getmany({PLACE}, 1.0))[PLACE]] == [0]
        assert await one._getmany({PLACE}, 1.0) == {}
        assert one.after_loss == {TP("leg-trades", PLACE.partition)}

    asyncio.run(run())
    assert [letter.origin for letter in buried] == [f"{PLACE.topic}/0/1", f"{PLACE.topic}/0/2"]


def test_a_fetch_is_one_record_and_what_is_held_back_is_not_asked_for() -> None:
    async def run() -> None:
        held: set[str] = set()
        one = consumer(None, lambda: held)
        broker = one._thread = Broker(0, [1, 2, 3], [4])
        (made,) = (await one._getmany({TICKS, PLACE}, 1.0))[TICKS]
        assert (made.offset, len(made.value.records)) == (3, 3)
        held.add(TICKS.topic)
        assert await one._getmany({TICKS}, 1.0) == {}
        await one._getmany({TICKS, PLACE}, 1.0)
        assert broker.asked == [{TICKS, PLACE}, {PLACE}]

    asyncio.run(run())


def test_the_offset_after_the_last_acknowledged_one_is_committed() -> None:
    one = consumer()
    one._acked[TICKS] = [17, 40]
    one._acked_index[TICKS] = {17, 40}
    assert (one._new_offset(TICKS), one._new_offset(TICKS)) == (41, None)


def test_what_is_acknowledged_after_its_assignment_has_ended_is_not_committed() -> None:
    one = consumer()
    message = SimpleNamespace(
        generation_id=one.app.consumer_generation_id - 1, acked=False, tp=TICKS, offset=5
    )
    assert not one.ack(message)
    assert one._new_offset(TICKS) is None


def test_who_was_paused_is_no_member_until_the_group_says_so() -> None:
    async def run() -> list[bool]:
        answers = iter([True, False])

        async def beat() -> bool:
            return next(answers)

        one = consumer(StreamSettings(session_timeout_s=3))
        thread = one._new_consumer_thread()
        coordinator = SimpleNamespace(_do_heartbeat=beat)
        thread._consumer = SimpleNamespace(_coordinator=coordinator)
        thread._confirm_membership()
        found = [one.is_member]
        await coordinator._do_heartbeat()
        found.append(one.is_member)
        one.confirmed_s -= 3
        found.append(one.is_member)
        await coordinator._do_heartbeat()
        return [*found, one.is_member]

    assert asyncio.run(run()) == [False, True, False, False]
