"""The table that survives the workers, written so that nothing is acknowledged before what depends on it is sent."""

from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any

from services.common.topics import WINDOWS


class Changelog(MutableMapping[bytes, bytes]):
    """One partition of a Faust table: reads see every write, ``flush`` hands the writes to the producer.

    A write to a Faust table itself passes through a buffer that a commit waits for 0.1 s at most; under load an
    offset could be committed before the state that belongs to it.
    """

    def __init__(self, table: Any, partition: int, send: Callable[..., Awaitable[Any]]) -> None:
        """`send` is the ``send`` of Faust's producer."""
        self._data: MutableMapping[bytes, bytes] = table.data
        self._partition = partition
        self._send = send
        self._written: dict[bytes, bytes | None] = {}

    async def flush(self) -> None:
        """Hand what was written to the producer, in order."""
        written, self._written = self._written, {}
        for key, value in written.items():
            await self._send(WINDOWS.name, key, value, self._partition, None, None)

    def __getitem__(self, key: bytes) -> bytes:
        return self._data[key]

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self._data[key] = value
        # A key written again moves to the end: of two writes the order is that of their last.
        self._written.pop(key, None)
        self._written[key] = value

    def __delitem__(self, key: bytes) -> None:
        del self._data[key]
        self._written.pop(key, None)
        self._written[key] = None

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._data)

    def __len__(self) -> int:
        return len(self._data)
