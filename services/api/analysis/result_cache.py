"""Cache of analysis results: equal requests on equal data share one result, also while it is computed."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from typing import Any

KEPT_BYTES = 64 * 1024 * 1024


class ResultCache:
    """Answers by key, the least recently wanted forgotten first once all of them take more than `kept_bytes`."""

    def __init__(self, kept_bytes: int = KEPT_BYTES) -> None:
        self._limit = kept_bytes
        self._bytes = 0
        self._kept: OrderedDict[bytes, bytes] = OrderedDict()
        self._running: dict[bytes, _Shared] = {}

    async def get(self, key: bytes, compute: Callable[[], Coroutine[Any, Any, bytes]]) -> bytes:
        """Return the answer called `key`, computed once for all who wait, and given up when the last one leaves."""
        if (known := self._kept.get(key)) is not None:
            self._kept.move_to_end(key)
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
        self._keep(key, answer)
        return answer

    def _keep(self, key: bytes, answer: bytes) -> None:
        if key in self._kept or len(answer) > self._limit:
            return
        self._kept[key] = answer
        self._bytes += len(answer)
        while self._bytes > self._limit:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= len(oldest)


class _Shared:
    def __init__(self, task: asyncio.Task[bytes]) -> None:
        self.task = task
        self.waiting = 0
