"""Stub of a venue's REST without a network: a function answers, requests are recorded."""

import json
from collections.abc import Callable
from typing import Any

from services.ingest.venues.request_budget import Budget
from services.ingest.venues.rest import Rest

Params = dict[str, str | int]


class StubRest(Rest):
    """Gives what `answer` returns for a path and its parameters, as JSON unless it is bytes already."""

    def __init__(self, answer: Callable[[str, Params], Any]) -> None:
        super().__init__("https://venue", Budget(limit=1, period_s=2), now_s=lambda: 0.0)
        self.asked: list[tuple[str, Params]] = []
        self._answer = answer

    async def get(self, path: str, **params: str | int) -> bytes:
        self.asked.append((path, params))
        answer = self._answer(path, params)
        return answer if isinstance(answer, bytes) else json.dumps(answer).encode()
