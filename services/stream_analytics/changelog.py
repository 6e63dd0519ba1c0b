"""The table that survives the workers, written so that nothing is acknowledged before what depends on it is sent."""

from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any

from services.common.topics import WINDOWS


class Changelog(MutableMapping[bytes, bytes]):
    """One partition of a Faust table: reads see every write, ``flush`` hands the writes to the publisher.

    A write to a Faust table itself passes through a buffer that a commit waits for 0.1 s at most; under load an
    offset could be committed before the state that belongs to it.
    """

    def __init__(self, table: Any, partition: int, send: Callable[..., Awaitable[Any]]) -> None:
        """`send` is a publisher's ``send``."""
        # The table holds what has been sent and nothing else: after a rebalance it must equal the topic.
        self._sent: MutableMapping[bytes, bytes] = table.data
        self._partition = partition
        self._send = send
        self._written: dict[bytes, bytes | None] = {}

    async def flush(self, is_ours: Callable[[], bool] = lambda: True) -> None:
        """Hand what was written to the publisher, in order, and stop as soon as the partition is not ours."""
        while self._written and is_ours():
            key = next(iter(self._written))
            value = self._written.pop(key)
            if value is None:
                self._sent.pop(key, None)
            else:
                self._sent[key] = value
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
