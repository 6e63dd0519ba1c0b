"""Changelog of the state table: an input is acknowledged only after the state that holds it was sent."""

from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any

import structlog

from services.contracts.topics import WINDOWS

# Of what the broker keeps; the rest is for what is sent again.
_REPEAT_SHARE = 0.4

log = structlog.get_logger()


class Changelog(MutableMapping[bytes, bytes]):
    """One partition of a Faust table: reads see every write, ``flush`` hands the writes to the publisher.

    A write to a Faust table itself passes through a buffer that a commit waits for 0.1 s at most; under load an
    offset could be committed before the state that belongs to it.
    """

    def __init__(
        self,
        table: Any,
        partition: int,
        send: Callable[..., Awaitable[Any]],
        keeps_bytes: int = 0,
        is_of: Callable[[bytes], bool] = lambda _: True,
    ) -> None:
        """`send` is a publisher's ``send``.

        A broker that keeps only `keeps_bytes` of a partition, and compacts nothing, gets everything again before it
        would drop what still counts; 0 is one that keeps all. `is_of` tells which keys of the table are of `partition`.
        """
        # The table holds what has been sent and nothing else: after a rebalance it must equal the topic.
        self._sent: MutableMapping[bytes, bytes] = table.data
        self._partition = partition
        self._send = send
        self._written: dict[bytes, bytes | None] = {}
        self._keeps_bytes = keeps_bytes
        self._is_of = is_of
        # How much came since everything was sent is not known of an earlier run.
        self._sent_bytes = keeps_bytes
        self._is_too_large = False

    async def flush(self, is_ours: Callable[[], bool] = lambda: True) -> None:
        """Send the written values in order, and stop as soon as the partition is not ours."""
        while self._written and is_ours():
            key = next(iter(self._written))
            value = self._written.pop(key)
            if value is None:
                self._sent.pop(key, None)
            else:
                self._sent[key] = value
            self._sent_bytes += _size(key, value)
            await self._send(WINDOWS.name, key=key, value=value, partition=self._partition)
        if self._keeps_bytes and self._sent_bytes > self._keeps_bytes * _REPEAT_SHARE and is_ours():
            await self._send_all()

    async def _send_all(self) -> None:
        """Send all there is once more; what was sent before may be dropped then."""
        values = {key: value for key, value in self._sent.items() if self._is_of(key)}
        size = sum(_size(key, value) for key, value in values.items())
        is_too_large = size > self._keeps_bytes * _REPEAT_SHARE
        if is_too_large and not self._is_too_large:
            log.warning(
                "the broker keeps less than the state of the pairs: after a crash some windows start empty",
                partition=self._partition,
                state_bytes=size,
                kept_bytes=self._keeps_bytes,
            )
        self._is_too_large = is_too_large
        self._sent_bytes = 0
        for key, value in values.items():
            await self._send(WINDOWS.name, key=key, value=value, partition=self._partition)

    def __getitem__(self, key: bytes) -> bytes:
        if key not in self._written:
            return self._sent[key]
        if (value := self._written[key]) is None:
            raise KeyError(key)
        return value

    def __setitem__(self, key: bytes, value: bytes) -> None:
        # A key written again moves to the end: of two writes the order is that of their last.
        self._written.pop(key, None)
        self._written[key] = value

    def __delitem__(self, key: bytes) -> None:
        if key not in self:
            raise KeyError(key)
        self._written.pop(key, None)
        self._written[key] = None

    def __iter__(self) -> Iterator[bytes]:
        return iter([key for key in {**self._sent, **self._written} if key in self])

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _size(key: bytes, value: bytes | None) -> int:
    return len(key) + len(value or b"")
