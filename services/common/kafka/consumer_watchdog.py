"""Watchdog of a consumer: notices that messages come while its position stands still."""

from collections.abc import Hashable, Mapping
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class ConsumerWatchdog(Generic[K]):
    """Compares the read position of each partition with its end, as time passes."""

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self._read: dict[K, int] = {}
        self._since: dict[K, tuple[float, int]] = {}

    def measure(self, now_s: float, read: Mapping[K, int], ends: Mapping[K, int]) -> str | None:
        """Return the problem, None if all is well.

        `read` are the offsets to be read next and `ends` those of the next message to come, of the partitions
        assigned now. Wrong is one that stood still for the patience while messages waited and their number grew.
        """
        for partition in self._since.keys() - ends.keys():
            del self._since[partition]
        for partition, end in ends.items():
            offset = read.get(partition, 0)
            moved = self._read.get(partition) != offset
            if moved or end <= offset or partition not in self._since:
                self._since[partition] = now_s, end
            since_s, first_end = self._since[partition]
            if now_s - since_s >= self._patience_s and end > first_end:
                return (
                    f"expected {partition} to be read, but offset {offset} has stood still for "
                    f"{now_s - since_s:.0f} s while {end - offset} messages wait"
                )
        self._read = dict(read)
        return None
