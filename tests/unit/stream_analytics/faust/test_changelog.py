import asyncio
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.topics import WINDOWS
from services.stream_analytics.faust.changelog import Changelog


class Topic:
    """What was sent, and a table that follows it."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, bytes | None, int]] = []
        self.table = SimpleNamespace(data={b"old": b"1"})

    async def send(self, topic: str, key: bytes, value: bytes | None, partition: int) -> None:
        assert topic == WINDOWS.name
        self.sent.append((key, value, partition))


def test_the_table_holds_what_was_sent_and_reads_see_what_was_written() -> None:
    topic = Topic()
    changelog = Changelog(topic.table, 3, topic.send)
    changelog[b"chunk"] = b"2"
    changelog[b"head"] = b"3"
    del changelog[b"old"]
    assert dict(changelog) == {b"chunk": b"2", b"head": b"3"}
    assert b"old" not in changelog
    assert len(changelog) == 2
    assert topic.table.data == {b"old": b"1"}
    asyncio.run(changelog.flush())
    assert topic.table.data == dict(changelog)
    assert topic.sent == [
        (b"chunk", b"2", 3),
        (b"head", b"3", 3),
        (b"old", None, 3),
    ]
    with pytest.raises(KeyError):
        del changelog[b"old"]


def test_a_key_written_again_is_sent_once_and_last() -> None:
    topic = Topic()
    changelog = Changelog(topic.table, 0, topic.send)
    for key in (b"head", b"chunk", b"head"):
        changelog[key] = b"x"
    asyncio.run(changelog.flush())
    assert [key for key, _, _ in topic.sent] == [b"chunk", b"head"]


def test_nothing_is_sent_of_a_partition_that_went_to_another_worker() -> None:
    topic = Topic()
    changelog = Changelog(topic.table, 0, topic.send)
    changelog[b"a"] = changelog[b"b"] = b"x"
    asyncio.run(changelog.flush(lambda: len(topic.sent) < 1))
    assert [key for key, _, _ in topic.sent] == [b"a"]
    assert topic.table.data == {b"old": b"1", b"a": b"x"}


class Broker:
    """A topic of which only so much is kept, and the table that follows it."""

    def __init__(self, keeps_bytes: int) -> None:
        self._keeps_bytes = keeps_bytes
        self.kept: list[tuple[bytes, bytes | None]] = []
        self.table = SimpleNamespace(data={})

    async def send(self, topic: str, key: bytes, value: bytes | None, partition: int) -> None:
        self.kept.append((key, value))
        while sum(len(key) + len(value or b"") for key, value in self.kept) > self._keeps_bytes:
            self.kept.pop(0)

    def restored(self) -> dict[bytes, bytes]:
        """Return what a worker that starts now finds."""
        found: dict[bytes, bytes] = {}
        for key, value in self.kept:
            found.pop(key, None)
            if value is not None:
                found[key] = value
        return found


@given(
    st.lists(st.tuples(st.sampled_from("abcdefgh"), st.one_of(st.none(), st.integers(1, 60))), max_size=200)
)
def test_a_broker_that_keeps_little_has_all_that_counts_at_any_time(
    writes: list[tuple[str, int | None]],
) -> None:
    async def run() -> None:
        broker = Broker(2_000)
        changelog = Changelog(broker.table, 0, broker.send, keeps_bytes=2_000)
        for key, size in writes:
            if size is not None:
                changelog[key.encode()] = b"x" * size
            elif key.encode() in changelog:
                del changelog[key.encode()]
            await changelog.flush()
            assert broker.restored() == dict(changelog)

    asyncio.run(run())


def test_only_the_keys_of_its_partition_are_sent_again() -> None:
    async def run() -> None:
        broker = Broker(10_000)
        broker.table.data = {b"other": b"1"}
        changelog = Changelog(broker.table, 0, broker.send, 100, lambda key: key != b"other")
        for _ in range(3):
            changelog[b"mine"] = b"x" * 30
            await changelog.flush()
        assert {key for key, _ in broker.kept} == {b"mine"}

    asyncio.run(run())
