"""Wake-up of readers: times of their fetches, on a clock of the test's own, and who wakes whom."""

import asyncio
import functools
import socket
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.producer.message_accumulator import BatchBuilder

from services.common.kafka.wake_up import LOOK_S, WakeUp
from services.common.kafka.waker import Waker
from services.common.kafka.words import News, numbered, packed
from services.contracts import topics
from tests.unit.common.kafka.fake_fetcher import PLACE, Assignment, Fetcher

SHORT_S = 0.005


@pytest.fixture
def directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="pairstream-wake-") as name:
        yield Path(name)


@contextmanager
def reader(directory: Path, *names: str, look_s: float = LOOK_S, can_wait: bool = False) -> Iterator[Fetcher]:
    fetcher = Fetcher()
    wake_up = WakeUp(
        SimpleNamespace(_fetcher=fetcher),
        directory,
        names or ["ticks"],
        lambda: SHORT_S,
        look_s,
        can_wait,
        seconds=lambda: fetcher.now_s,
    )
    try:
        yield fetcher
    finally:
        wake_up.close()


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def name_of_reader(directory: Path, *topics: str) -> str:
    with reader(directory, *topics):
        (name,) = names(directory)
        return name


def in_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a test in a loop of its own."""

    @functools.wraps(test)
    def run(**fixtures: Any) -> None:
        asyncio.run(test(**fixtures))

    return run


def woken(directory: Path, topic: str = "ticks") -> None:
    waker = Waker(directory)
    waker.wake([News(TopicPartition(topic, 0))])
    waker.close()


@in_loop
async def test_a_fetch_that_would_bring_nothing_is_put_off_until_it_is_time_to_look(directory: Path) -> None:
    with reader(directory) as fetcher:
        end = Assignment(ticks=0)
        assert await fetcher.step(end) is None
        fetcher.now_s += LOOK_S / 4
        assert await fetcher.step(end) == pytest.approx(LOOK_S * 3 / 4)
        fetcher.now_s += LOOK_S * 3 / 4
        assert await fetcher.step(end) is None
        assert fetcher._fetch_max_wait_ms == 0


@in_loop
async def test_who_is_told_of_all_there_is_looks_less_often(directory: Path) -> None:
    with reader(directory, look_s=4 * LOOK_S) as fetcher:
        end = Assignment(ticks=0)
        assert await fetcher.step(end) is None
        fetcher.now_s += 3 * LOOK_S
        assert await fetcher.step(end) == pytest.approx(LOOK_S)


@in_loop
async def test_a_word_brings_the_next_fetch_forward_but_not_nearer_than_short_to_the_last(
    directory: Path,
) -> None:
    with reader(directory) as fetcher:
        end = Assignment(ticks=0)
        assert await fetcher.step(end) is None
        woken(directory)
        assert await fetcher.step(end) == pytest.approx(SHORT_S)
        fetcher.now_s += SHORT_S
        assert await fetcher.step(end) is None
        # What was said before a fetch is what it brings.
        assert await fetcher.step(end) == pytest.approx(LOOK_S - SHORT_S)


@in_loop
async def test_a_word_that_comes_while_a_fetch_is_under_way_is_heard_after_it(directory: Path) -> None:
    with reader(directory) as fetcher:
        end = Assignment(ticks=0)
        ((node, request),), *_ = fetcher._get_actions_per_node(end)
        woken(directory)
        await fetcher._proc_fetch_request(end, node, request)
        fetcher.now_s += SHORT_S
        assert await fetcher.step(end) is None
        assert await fetcher.step(end) == pytest.approx(LOOK_S - SHORT_S)


@in_loop
async def test_the_fetcher_is_told_of_the_first_word_only(directory: Path) -> None:
    with reader(directory) as fetcher:
        end = Assignment(ticks=0)
        await fetcher.step(end)
        assert await fetcher.step(end) == pytest.approx(LOOK_S)
        woken(directory)
        async with asyncio.timeout(10):
            await fetcher._wait_consume_future
        fetcher._wait_consume_future = asyncio.get_running_loop().create_future()
        assert await fetcher.step(end) == pytest.approx(SHORT_S)
        woken(directory)
        for _ in range(2):
            await asyncio.sleep(0)
        assert not fetcher._wait_consume_future.done()


@pytest.mark.parametrize(
    ("brought", "following", "end", "is_fetched"),
    [
        (True, 5, 9, True),
        (True, 9, 9, False),
        (False, 5, 9, True),
        (False, 0, 9, False),
        (True, 0, 9, True),
        (False, 5, None, True),
        (False, 0, None, False),
    ],
    ids=[
        "there is more",
        "that was all",
        "the reader has moved",
        "nothing came though there is said to be more",
        "of another partition something came",
        "moved to where nothing is known",
        "nothing is known still",
    ],
)
@in_loop
async def test_only_what_may_bring_something_is_fetched_at_once(
    directory: Path, brought: bool, following: int, end: int | None, is_fetched: bool
) -> None:
    with reader(directory) as fetcher:
        assignment = Assignment(ticks=end)
        assert await fetcher.step(assignment, brought) is None
        fetcher.following["ticks"] = following
        wait_s = await fetcher.step(assignment)
        assert wait_s is None if is_fetched else wait_s == pytest.approx(LOOK_S)


@in_loop
async def test_after_a_rebalance_a_look_comes_first(directory: Path) -> None:
    with reader(directory) as fetcher:
        assert await fetcher.step(Assignment(ticks=0)) is None
        assert await fetcher.step(Assignment(ticks=0)) is None


@in_loop
async def test_while_everything_is_paused_nothing_is_fetched_and_no_word_forgotten(directory: Path) -> None:
    with reader(directory) as fetcher:
        end = Assignment(ticks=0)
        await fetcher.step(end)
        fetcher.following.clear()
        woken(directory)
        fetcher.now_s += LOOK_S
        assert await fetcher.step(end) == 2 * LOOK_S
        fetcher.following["ticks"] = 0
        await fetcher.step(end)
        woken(directory)
        fetcher.now_s += SHORT_S
        assert await fetcher.step(end) is None


@in_loop
async def test_only_readers_of_what_was_produced_are_woken(directory: Path) -> None:
    with reader(directory, "ticks", "signals") as one, reader(directory, "alerts") as other:
        end = Assignment(ticks=0, signals=0, alerts=0)
        one.following, other.following = {"ticks": 0, "signals": 0}, {"alerts": 0}
        for topic, waits_s in (("signals", SHORT_S), ("alerts", LOOK_S)):
            one.now_s += LOOK_S
            other.now_s += LOOK_S
            assert await one.step(end) is None
            assert await other.step(end) is None
            woken(directory, topic)
            assert await one.step(end) == pytest.approx(waits_s)
            assert await other.step(end) == pytest.approx(LOOK_S + SHORT_S - waits_s)


@in_loop
async def test_a_reader_that_was_killed_leaves_a_socket_that_the_next_word_removes(directory: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as killed:
        killed.bind(str(directory / f"killed{name_of_reader(directory, 'ticks')[6:]}"))
    waker = Waker(directory)
    with reader(directory):
        waker.wake([News(PLACE)])
        assert len(names(directory)) == 1
    waker.close()
    assert not names(directory)


@in_loop
async def test_a_reader_that_does_not_listen_is_not_waited_for(directory: Path) -> None:
    with reader(directory) as fetcher:
        end = Assignment(ticks=0)
        await fetcher.step(end)
        waker = Waker(directory)
        for _ in range(5_000):
            waker.wake([News(PLACE)])
        waker.close()
        assert await fetcher.step(end) == pytest.approx(SHORT_S)
        fetcher.now_s += SHORT_S
        assert await fetcher.step(end) is None
        assert await fetcher.step(end) == pytest.approx(LOOK_S - SHORT_S)


@in_loop
async def test_without_the_directory_readers_look_and_producers_go_on(directory: Path) -> None:
    woken(directory / "gone")
    with reader(directory / "gone") as fetcher:
        end = Assignment(ticks=0)
        await fetcher.step(end)
        assert await fetcher.step(end) == pytest.approx(LOOK_S)
        fetcher.now_s += LOOK_S
        assert await fetcher.step(end) is None


@in_loop
async def test_a_directory_that_is_removed_meanwhile_ends_the_waking_of_others_and_nothing_else() -> None:
    folder = tempfile.TemporaryDirectory(prefix="pairstream-wake-")
    with reader(Path(folder.name)) as fetcher:
        end = Assignment(ticks=0)
        await fetcher.step(end)
        waker = Waker(Path(folder.name))
        waker.wake([News(PLACE)])
        fetcher.now_s += SHORT_S
        assert await fetcher.step(end) is None
        folder.cleanup()
        waker.wake([News(PLACE)])
        woken(Path(folder.name))
        waker.close()
        assert await fetcher.step(end) == pytest.approx(SHORT_S)


@in_loop
async def test_only_what_has_news_or_more_is_fetched_until_it_is_time_to_look(directory: Path) -> None:
    with reader(directory, "ticks", "signals", "alerts") as fetcher:
        fetcher.following = {"ticks": 0, "signals": 0, "alerts": 0}
        end = Assignment(ticks=0, signals=0, alerts=9)
        assert await fetcher.step(end, brings=True) is None
        woken(directory, "ticks")
        assert await fetcher.step(end) is None
        fetcher.following["alerts"] = 9
        woken(directory, "signals")
        assert await fetcher.step(end) == pytest.approx(SHORT_S)
        fetcher.now_s += SHORT_S
        assert await fetcher.step(end) is None
        fetcher.now_s += LOOK_S
        assert await fetcher.step(end) is None
        everything = {"ticks", "signals", "alerts"}
        assert fetcher.fetched == [everything, {"ticks", "alerts"}, {"signals"}, everything]


@in_loop
async def test_news_of_a_paused_partition_is_kept_until_it_is_fetched_again(directory: Path) -> None:
    with reader(directory, "ticks", "signals") as fetcher:
        end = Assignment(ticks=0, signals=0)
        fetcher.following = {"ticks": 0, "signals": 0}
        await fetcher.step(end)
        fetcher.following = {"ticks": 0}
        woken(directory, "signals")
        assert await fetcher.step(end) == pytest.approx(LOOK_S)
        fetcher.now_s += SHORT_S
        woken(directory, "ticks")
        assert await fetcher.step(end) is None
        assert fetcher.fetched[-1] == {"ticks"}
        fetcher.now_s += SHORT_S
        fetcher.following["signals"] = 0
        assert await fetcher.step(end) is None
        assert fetcher.fetched[-1] == {"signals"}


@in_loop
async def test_who_was_told_too_much_to_hear_all_of_it_fetches_everything(directory: Path) -> None:
    with reader(directory, "ticks", "signals") as fetcher:
        end = Assignment(ticks=0, signals=0)
        fetcher.following = {"ticks": 0, "signals": 0}
        await fetcher.step(end)
        waker = Waker(directory)
        for _ in range(5_000):
            waker.wake([News(PLACE)])
        waker.close()
        fetcher.now_s += SHORT_S
        assert await fetcher.step(end) is None
        assert fetcher.fetched[-1] == {"ticks", "signals"}


@in_loop
async def test_a_socket_has_room_in_the_longest_temporary_directories(directory: Path) -> None:
    # As macOS names them; a socket's path may have 103 bytes there.
    folder = "/var/folders/zz/zyxvpxvq6csfxvn_n0000000000000/T/pairstream-wake-0123abcd/"
    made = name_of_reader(directory, *(topic.name for topic in topics.ALL[:7]))
    assert len(folder + made) <= 103


def batch(first: int, count: int = 1) -> bytes:
    """Return a batch as the broker has it."""
    builder = BatchBuilder(1 << 20, 0)
    for _ in range(count):
        builder.append(timestamp=1, key=None, value=b"1")
    return numbered(builder._build(), first)


@in_loop
async def test_what_was_told_from_its_place_on_is_handed_over_and_nobody_is_asked(directory: Path) -> None:
    with reader(directory) as fetcher:
        end = Assignment(ticks=0)
        await fetcher.step(end)
        first, second, later = batch(0, 2), batch(2), batch(9)
        waker = Waker(directory)
        # In any order; the last is not next, and the one before was told twice.
        waker.wake([News(PLACE, second), News(PLACE, first), News(PLACE, later), News(PLACE, second)])
        fetcher.now_s += SHORT_S
        waiter = asyncio.get_running_loop().create_future()
        fetcher._fetch_waiters.add(waiter)
        await fetcher.step(end)
        assert fetcher.received == {"ticks": first + second}
        assert waiter.done()
        assert len(fetcher.fetched) == 1
        # Of what is missing before the last the broker is asked, once.
        fetcher.following["ticks"] = 3
        fetcher.now_s += SHORT_S
        assert await fetcher.step(end, brings=False) is None
        assert fetcher.fetched == [{"ticks"}, {"ticks"}]
        fetcher.now_s += SHORT_S
        assert await fetcher.step(end) == pytest.approx(LOOK_S - 3 * SHORT_S)
        waker.close()
        assert await fetcher.step(end) == pytest.approx(LOOK_S - 3 * SHORT_S)


@in_loop
async def test_an_answer_has_both_what_was_told_and_what_the_broker_says(directory: Path) -> None:
    with reader(directory, "ticks", "signals") as fetcher:
        fetcher.following = {"ticks": 0, "signals": 0}
        end = Assignment(ticks=0, signals=0)
        await fetcher.step(end)
        waker = Waker(directory)
        told = batch(0)
        waker.wake([News(PLACE, told), News(TopicPartition("signals", 0))])
        waker.close()
        fetcher.now_s += SHORT_S
        assert await fetcher.step(end) is None
        assert fetcher.fetched[1:] == [{"signals"}]
        assert fetcher.received == {"ticks": told}


@in_loop
async def test_who_need_not_know_at_once_is_woken_by_what_cannot_wait_and_gets_all_then(
    directory: Path,
) -> None:
    with reader(directory, can_wait=True) as fetcher:
        end = Assignment(ticks=0)
        await fetcher.step(end)
        waker = Waker(directory)
        for first in range(3):
            waker.wake([News(PLACE, batch(first), can_wait=True)])
        assert await fetcher.step(end) == pytest.approx(LOOK_S)
        waker.wake([News(PLACE, batch(3))])
        fetcher.now_s += SHORT_S
        await fetcher.step(end)
        assert fetcher.received == {"ticks": b"".join(map(batch, range(4)))}
        # Nor does it wait for ever.
        fetcher.following["ticks"] = end._ends["ticks"] = 4
        told = 0
        while await fetcher.step(end) != pytest.approx(SHORT_S) and told < 1_000:
            waker.wake([News(PLACE, batch(4), can_wait=True)])
            told += 1
        assert 0 < told < 1_000
        waker.close()


@in_loop
async def test_who_was_cut_off_in_the_middle_of_a_word_asks_for_everything(directory: Path) -> None:
    with reader(directory, "ticks", "signals") as fetcher:
        fetcher.following = {"ticks": 0, "signals": 0}
        end = Assignment(ticks=0, signals=0)
        await fetcher.step(end)
        (name,) = names(directory)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
            caller.connect(str(directory / name))
            caller.send(packed([News(PLACE, batch(0))])[:-1])
            assert await fetcher.step(end) == pytest.approx(LOOK_S)
        fetcher.now_s += SHORT_S
        assert await fetcher.step(end) is None
        assert fetcher.fetched[-1] == {"ticks", "signals"}
