"""Words by which a producer tells readers on the same machine what the broker has taken from it.

A word names partitions, each with the batch that was added to it, as the broker has it. A batch is left out where it
is large, or not at hand.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from aiokafka import TopicPartition

_LENGTHS = struct.Struct(">HI")
_FIRST_OFFSET = struct.Struct(">q")
# Of a batch: how far its last offset is from its first.
_DISTANCE, _DISTANCE_AT, _LEAST = struct.Struct(">i"), 23, 61
_MOST_BYTES = 1 << 15
_MARK = 3
GOODBYE = _LENGTHS.pack(0, 0)
"""The last word of a producer that ends in order. One that does not may have said more than was heard."""


class News(NamedTuple):
    """Something new in a partition: the batch, or nothing of it; `can_wait` for readers that wait for others."""

    place: TopicPartition
    batch: bytes = b""
    can_wait: bool = False


@lru_cache
def mark(topic: str) -> str:
    """Return what stands for a topic in a socket's name, which must be short; two may share it and wake each other."""
    return f"{zlib.crc32(topic.encode()) & 0xFFF:03x}"


def marks(text: str) -> Iterable[str]:
    """Return the marks that follow one another in `text`."""
    return (text[place : place + _MARK] for place in range(0, len(text), _MARK))


def numbered(batch: bytes | bytearray, first: int) -> bytes:
    """Return a batch as the broker has it: its producer does not know the offsets.

    Nothing is returned of a large one, and where the broker did not name the `first` offset.
    """
    return b"" if first < 0 or len(batch) > _MOST_BYTES else _FIRST_OFFSET.pack(first) + bytes(batch[8:])


def span(batch: bytes) -> tuple[int, int]:
    """Return the first offset of a batch, and the one after its last."""
    first: int = _FIRST_OFFSET.unpack_from(batch)[0]
    return first, first + int(_DISTANCE.unpack_from(batch, _DISTANCE_AT)[0]) + 1


def packed(news: Iterable[News]) -> bytes:
    """Return `news` as bytes."""
    parts: list[bytes] = []
    for (topic, number), batch, _ in news:
        name = f"{topic}/{number}".encode()
        parts += _LENGTHS.pack(len(name), len(batch)), name, batch
    return b"".join(parts)


def taken(heard: bytearray) -> Iterator[News]:
    """Take whole news off the front of what was `heard`; a goodbye stays there."""
    place = 0
    while len(heard) - place >= _LENGTHS.size:
        name, batch = _LENGTHS.unpack_from(heard, place)
        begin = place + _LENGTHS.size
        if name == 0 or (end := begin + name + batch) > len(heard):
            break
        topic, _, number = heard[begin : begin + name].decode().rpartition("/")
        yield News(TopicPartition(topic, int(number)), bytes(heard[begin + name : end]))
        place = end
    del heard[:place]
