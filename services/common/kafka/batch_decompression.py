"""Decompression of Kafka batches, limited to a size that a producer can have meant.

The codecs of aiokafka give whatever is inside: a batch of 100 KB may hold gigabytes.
"""

import struct
import sys
import zlib
from collections.abc import Callable
from typing import Any

import cramjam

MOST = 64 << 20
"""The most bytes of one batch. Producers send 1 MiB before it is packed unless told otherwise, and brokers take no
more than that packed; few installations go beyond 16 MiB."""

_LEAST = 1 << 16
_AS_GZIP = 31
# Blocks of snappy in the frame of the Java client: a head, then each with its length.
_XERIAL, _XERIAL_HEAD, _LENGTH = b"\x82SNAPPY\0", 16, struct.Struct(">i")

Packed = bytes | bytearray | memoryview


class BatchTooLargeError(Exception):
    """Batch larger than any that producers send."""

    def __init__(self) -> None:
        super().__init__(
            f"expected a batch of at most {MOST} bytes when it is unpacked, received a larger one"
        )


def gzip(packed: Packed) -> bytes:
    """Return the decompressed bytes; several gzip streams may follow one another."""
    found, rest = bytearray(), bytes(packed)
    while rest:
        stream = zlib.decompressobj(_AS_GZIP)
        found += stream.decompress(rest, MOST + 1 - len(found))
        if len(found) > MOST:
            raise BatchTooLargeError
        if not stream.eof:
            raise EOFError("the packed data end too early")
        rest = stream.unused_data.lstrip(b"\0")
    return bytes(found)


def snappy(packed: Packed) -> bytes:
    """Return the decompressed bytes, of blocks as the Java client frames them or of one; each tells its size."""
    raw = bytes(packed)
    if not raw.startswith(_XERIAL):
        return _block(raw, MOST)
    found, place = bytearray(), _XERIAL_HEAD
    while place < len(raw):
        begin = place + _LENGTH.size
        place = begin + _LENGTH.unpack_from(raw, place)[0]
        if place < begin:
            raise ValueError("a block of negative length")
        found += _block(raw[begin:place], MOST - len(found))
    return bytes(found)


def _block(raw: bytes, most: int) -> bytes:
    if cramjam.snappy.decompress_raw_len(raw) > most:
        raise BatchTooLargeError
    return bytes(cramjam.snappy.decompress_raw(raw))


def lz4(packed: Packed) -> bytes:
    """Return the decompressed bytes."""
    return _grown(cramjam.lz4.decompress_into, bytes(packed))


def zstd(packed: Packed) -> bytes:
    """Return the decompressed bytes."""
    return _grown(cramjam.zstd.decompress_into, bytes(packed))


def _grown(unpack_into: Callable[..., int], raw: bytes) -> bytes:
    """Unpack into a room that grows until it holds all, as neither codec need say how much that is."""
    size = min(MOST, max(_LEAST, 8 * len(raw)))
    while True:
        room = bytearray(size)
        try:
            return bytes(memoryview(room)[: unpack_into(raw, room)])
        except cramjam.DecompressionError as error:
            # As the writer of the codecs says that the room is full.
            if "whole buffer" not in str(error):
                raise
            if size == MOST:
                raise BatchTooLargeError from error
            size = min(MOST, 8 * size)


def install(*batches: type[Any]) -> None:
    """Make these classes of aiokafka decompress so: they look the codecs up in the module they are of."""
    for module in {sys.modules[batch.__module__] for batch in batches}:
        for name, codec in {"gzip": gzip, "snappy": snappy, "lz4": lz4, "zstd": zstd}.items():
            if hasattr(module, f"{name}_decode"):
                setattr(module, f"{name}_decode", codec)
