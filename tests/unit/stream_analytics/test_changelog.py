import asyncio
from types import SimpleNamespace

import pytest

from services.common.topics import WINDOWS
from services.stream_analytics.changelog import Changelog


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
