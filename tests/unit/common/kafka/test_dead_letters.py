"""Dead letters: each with its reason; of a flood a sample, and the rest counted."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from services.common.kafka.dead_letters import A_SECOND, AT_ONCE, DeadLetter, DeadLetters
from services.common.unreadable import Unreadable
from tests import virtual_time


class Kept:
    """What was published, when, in the time of the running loop."""

    def __init__(self) -> None:
        self.counters: dict[str, int] = {}
        self.messages: list[dict[str, Any]] = []
        self.sources: defaultdict[str, list[tuple[float, int]]] = defaultdict(list)

    async def send(self, topic: str, **message: Any) -> None:
        assert topic == "dead-letters"
        self.messages.append(message)
        now_s = asyncio.get_running_loop().time()
        self.sources[message["key"].decode()].append((now_s, len(message["value"])))

    def letters(self, send: Callable[..., Awaitable[Any]] | None = None) -> DeadLetters:
        return DeadLetters(send or self.send, "sink", self.counters, asyncio.get_running_loop().time)


def dead_letter(letters: DeadLetters, raw: bytes = b"{", source: str = "ticks") -> Awaitable[None]:
    return letters.put(raw, "it is cut off", source=source, origin=f"{source}/0/7")


def test_a_letter_says_why_where_from_and_who() -> None:
    async def run() -> None:
        await dead_letter(kept.letters())

    kept = Kept()
    virtual_time.run(run())
    [message] = kept.messages
    assert (message["value"], message["key"]) == (b"{", b"ticks")
    assert dict(message["headers"]) == {
        "reason": b"it is cut off",
        "source": b"ticks",
        "origin": b"ticks/0/7",
        "service": b"sink",
    }
    assert kept.counters == {"dead_letters": 1, "dead_letters_not_kept": 0}


def test_what_stands_for_many_messages_is_one_letter_and_counts_as_all_of_them() -> None:
    async def run() -> None:
        letters = kept.letters()
        for raw in (b"a batch", b""):
            lost = Unreadable(raw, 3, 9, "it is damaged")
            await letters.put_all([DeadLetter.of("ticks", 2, 9, lost, lost.reason)])

    kept = Kept()
    virtual_time.run(run())
    assert [(type(one["value"]), one["value"]) for one in kept.messages] == [
        (bytes, b"a batch"),
        (bytes, b""),
    ]
    assert {dict(one["headers"])["origin"] for one in kept.messages} == {b"ticks/2/3-9"}
    assert kept.counters == {"dead_letters": 14, "dead_letters_not_kept": 0}


def test_a_giant_is_cut_to_what_a_broker_takes() -> None:
    async def run() -> None:
        await dead_letter(kept.letters(), b"x" * 3_000_000)

    kept = Kept()
    virtual_time.run(run())
    assert len(kept.messages[0]["value"]) == 1_000_000
    assert dict(kept.messages[0]["headers"])["reason"].startswith(
        b"(the first 1000000 of 3000000 bytes) it is"
    )


@given(
    st.lists(
        st.tuples(
            st.floats(0, 30),
            st.sampled_from(["ticks", "signals"]),
            st.integers(1, 900),
            st.sampled_from([1, 9_999, 10_000, 250_000]),
        ),
        max_size=6,
    )
)
def test_of_a_flood_a_bounded_sample_is_kept_and_all_are_counted(
    floods: list[tuple[float, str, int, int]],
) -> None:
    """Each flood comes so long after the one before: so many of a size, all at once."""

    async def run() -> None:
        letters = kept.letters()
        for after_s, source, count, size in floods:
            await asyncio.sleep(after_s)
            for _ in range(count):
                await dead_letter(letters, b"x" * size, source)

    kept = Kept()
    virtual_time.run(run())
    for found in kept.sources.values():
        # From any letter to any later one no more than the burst, and what the time between them allows.
        cost, least = 0, 0.0
        for at_s, size in found:
            least = min(least, cost - A_SECOND * at_s)
            cost += 1 + size // 10_000
            assert cost - A_SECOND * at_s - least <= AT_ONCE + 1e-6
    total = sum(count for _, _, count, _ in floods)
    if total:
        assert kept.counters["dead_letters"] == total
        assert len(kept.messages) + kept.counters["dead_letters_not_kept"] == total


def test_one_source_that_floods_takes_nothing_from_another() -> None:
    async def run() -> None:
        letters = kept.letters()
        for _ in range(3 * AT_ONCE):
            await dead_letter(letters)
        await dead_letter(letters, source="signals")
        assert letters.not_kept == 2 * AT_ONCE
        await asyncio.sleep(1.0)
        for _ in range(3 * A_SECOND):
            await dead_letter(letters)

    kept = Kept()
    virtual_time.run(run())
    assert len(kept.sources["ticks"]) == AT_ONCE + A_SECOND
    assert len(kept.sources["signals"]) == 1


def test_many_are_buried_when_the_broker_has_those_that_are_kept() -> None:
    deliveries: list[asyncio.Future[None]] = []

    async def send(_: str, **__: Any) -> asyncio.Future[None]:
        deliveries.append(asyncio.get_running_loop().create_future())
        return deliveries[-1]

    async def run() -> None:
        letters = kept.letters(send)
        many = [DeadLetter(b"{", "it is cut off", "ticks", f"ticks/0/{number}") for number in range(5_000)]
        burying = asyncio.create_task(letters.put_all(many))
        await asyncio.sleep(1.0)
        assert (len(deliveries), burying.done()) == (AT_ONCE, False)
        for delivery in deliveries[1:]:
            delivery.set_result(None)
        await asyncio.sleep(1.0)
        assert not burying.done()
        deliveries[0].set_result(None)
        await burying

    kept = Kept()
    virtual_time.run(run())
    assert kept.counters == {"dead_letters": 5_000, "dead_letters_not_kept": 4_000}


def test_who_waits_for_many_learns_that_the_broker_did_not_take_one() -> None:
    async def send(_: str, **__: Any) -> asyncio.Future[None]:
        delivery: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        delivery.set_exception(TimeoutError())
        return delivery

    async def run() -> None:
        with pytest.raises(TimeoutError):
            await Kept().letters(send).put_all([DeadLetter(b"{", "it is cut off", "ticks", "ticks/0/1")])

    virtual_time.run(run())


def test_the_log_has_the_first_ten_and_then_one_line_a_second() -> None:
    async def run() -> None:
        letters = kept.letters()
        for _ in range(3_010):
            await dead_letter(letters)
        await asyncio.sleep(1.5)
        for _ in range(200):
            await dead_letter(letters)
            await asyncio.sleep(0.01)
        await asyncio.sleep(59.0)
        await dead_letter(letters)
        await asyncio.sleep(61.0)
        await dead_letter(letters)

    kept = Kept()
    with capture_logs() as logged:
        virtual_time.run(run())
    each = [line for line in logged if line["event"].startswith("a message could not be processed")]
    more = [(line["messages"], line["not_kept"]) for line in logged if line["event"].startswith("further")]
    assert len(each) == 11
    assert (each[0]["reason"], each[0]["origin"]) == ("it is cut off", "ticks/0/7")
    assert more[0] == (3_000, 2_010)
    assert len(more) == 4
    assert sum(messages for messages, _ in more) == 3_201
