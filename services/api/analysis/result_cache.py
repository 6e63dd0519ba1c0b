"""Cache of analysis results: equal requests on equal data share one result, also while it is computed."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from cachetools import LRUCache

KEPT_BYTES = 64 * 1024 * 1024


class ResultCache:
    """Answers by key, the least recently wanted forgotten first once all of them take more than `kept_bytes`."""

    def __init__(self, kept_bytes: int = KEPT_BYTES) -> None:
        self._kept: LRUCache[bytes, bytes] = LRUCache(kept_bytes, getsizeof=len)
        self._running: dict[bytes, _Shared] = {}

    async def get(self, key: bytes, compute: Callable[[], Coroutine[Any, Any, bytes]]) -> bytes:
        """Return the answer called `key`, computed once for all who wait, and given up when the last one leaves."""
        if (known := self._kept.get(key)) is not None:
            return known
        shared = self._running.get(key)
        if shared is None:
            shared = self._running[key] = _Shared(asyncio.create_task(compute()))
        shared.waiting += 1
        try:
            answer = await asyncio.shield(shared.task)
        finally:
            shared.waiting -= 1
            if not shared.waiting and self._running.get(key) is shared:
                del self._running[key]
                shared.task.cancel()
        if len(answer) <= self._kept.maxsize:
            self._kept[key] = answer
        return answer


class _Shared:
    def __init__(self, task: asyncio.Task[bytes]) -> None:
        self.task = task
        self.waiting = 0
