"""Buffer of frames: in order, bounded, and every dropped frame counted."""

import asyncio
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from services.common.clock import MINUTE
from services.ingest.connections.buffer import FLOOR, Buffer
from services.ingest.connections.events import Dropped, Frame, Live, Occurrence
from tests.stub_venue import StubVenue

VENUE = StubVenue()
NEWS = Live("stub", VENUE.stream("trades", "AA"))


def frame(number: int, at_us: int = 0, raw: bytes = b"x", connection: int = 1) -> Frame:
    return Frame(raw, at_us, connection, number, VENUE)


def drain(buffer: Buffer[str]) -> list[Frame | Occurrence | str]:
    async def run() -> list[Frame | Occurrence | str]:
        return [await buffer.next() for _ in iter(lambda: bool(len(buffer) or buffer.has_news()), False)]

    return asyncio.run(run())


@given(st.lists(st.booleans(), max_size=200), st.integers(1, 20))
def test_every_frame_comes_out_in_order_or_is_counted(puts: list[bool], limit: int) -> None:
    """A put is True, a take is False."""

    async def run() -> None:
        buffer: Buffer[str] = Buffer(limit)
        number, dropped, taken = 0, 0, list[int]()
        for put in [*puts, *[False] * (2 * limit + 2)]:
            if put:
                number += 1
                buffer.put(frame(number))
                assert len(buffer) <= limit
            elif len(buffer) or buffer.has_news():
                item = await buffer.next()
                if isinstance(item, Dropped):
                    dropped += item.frames
                else:
                    assert isinstance(item, Frame)
                    taken.append(item.number)
        assert taken == sorted(set(taken))
        assert len(taken) + dropped == number

    asyncio.run(run())


def test_news_is_never_dropped_and_comes_first() -> None:
    buffer: Buffer[str] = Buffer(1)
    buffer.put(frame(1))
    buffer.put(frame(2))
    buffer.tell(NEWS)
    buffer.tell("other")
    assert drain(buffer) == [NEWS, "other", frame(1), Dropped("stub", 1, 1)]


def test_news_can_be_read_while_frames_wait() -> None:
    async def run() -> None:
        buffer: Buffer[str] = Buffer()
        buffer.put(frame(1))
        reading = asyncio.create_task(buffer.next_news())
        await asyncio.sleep(0)
        buffer.put(frame(2))
        await asyncio.sleep(0)
        assert not reading.done()
        buffer.tell("news")
        async with asyncio.timeout(5):
            assert await reading == "news"
        assert len(buffer) == 2

    asyncio.run(run())


def test_drops_are_counted_by_connection() -> None:
    buffer: Buffer[str] = Buffer(1)
    buffer.put(frame(1))
    for connection in (1, 2, 2):
        buffer.put(frame(9, connection=connection))
    assert drain(buffer) == [frame(1), Dropped("stub", 1, 1), Dropped("stub", 2, 2)]


def test_giant_frames_do_not_fill_the_memory() -> None:
    buffer: Buffer[str] = Buffer(1000, most_bytes=100)
    for number in range(10):
        buffer.put(frame(number, raw=b"x" * 30))
    assert len(buffer) == 3
    drain(buffer)
    buffer.put(frame(11, raw=b"x" * 90))
    assert len(buffer) == 1


def test_by_itself_it_holds_two_minutes_of_the_busiest_minute() -> None:
    buffer: Buffer[str] = Buffer()
    for minute in range(4):
        for number in range(FLOOR):
            buffer.put(frame(number, minute * MINUTE))
    assert len(buffer) == 2 * FLOOR


def test_a_waiting_reader_is_woken_by_a_frame_and_by_news() -> None:
    async def run() -> None:
        buffer: Buffer[str] = Buffer()
        puts: list[Callable[[], None]] = [lambda: buffer.put(frame(1)), lambda: buffer.tell("news")]
        for put in puts:
            reading = asyncio.create_task(buffer.next())
            await asyncio.sleep(0)
            assert not reading.done()
            put()
            async with asyncio.timeout(5):
                await reading

    asyncio.run(run())


def test_a_cancelled_reader_loses_nothing() -> None:
    async def run() -> None:
        buffer: Buffer[str] = Buffer()
        reading = asyncio.create_task(buffer.next())
        await asyncio.sleep(0)
        buffer.put(frame(1))
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        async with asyncio.timeout(5):
            assert await buffer.next() == frame(1)

    asyncio.run(run())


def test_the_time_read_until_is_that_of_the_oldest_frame_that_waits() -> None:
    buffer: Buffer[str] = Buffer()
    assert buffer.read_until_us(now_us=9) == 9
    buffer.put(frame(1, at_us=5))
    buffer.put(frame(2, at_us=6))
    assert buffer.read_until_us(now_us=9) == 5
