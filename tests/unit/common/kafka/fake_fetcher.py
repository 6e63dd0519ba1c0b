"""Fake of aiokafka's fetcher as far as it plans, on its own clock."""

import asyncio
from types import SimpleNamespace
from typing import Any

from aiokafka import TopicPartition

from services.common.kafka.wake_up import LOOK_S

PLACE = TopicPartition("ticks", 0)
NODE = 1


class Request:
    """As much of a FetchRequest as is looked at."""

    def __init__(self, topics: list[tuple[str, list[tuple[int, int, int]]]]) -> None:
        self._topics = topics

    @property
    def topics(self) -> list[tuple[str, list[tuple[int, int, int]]]]:
        return self._topics


class Assignment:
    """Partitions of which some ends are known."""

    def __init__(self, **ends: int | None) -> None:
        self._ends = ends

    @property
    def tps(self) -> set[TopicPartition]:
        return {TopicPartition(topic, 0) for topic in self._ends}

    def state_value(self, place: TopicPartition) -> Any:
        return SimpleNamespace(highwater=self._ends.get(place.topic))


class Fetcher:
    """Plans one fetch of the next messages, as aiokafka's fetcher does whenever it may."""

    def __init__(self) -> None:
        self._fetch_max_wait_ms = 500
        self._client = SimpleNamespace(send=self._send)
        self._fetch_waiters: set[asyncio.Future[None]] = set()
        self._wait_consume_future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.following: dict[str, int] = {"ticks": 0}
        self.brings = False
        self.now_s = 1_000.0
        self.fetched: list[set[str]] = []
        """Topics of which the broker was asked, each time."""
        self.received: dict[str, bytes] = {}
        """What the last answer brought."""

    def _notify(self, future: asyncio.Future[None]) -> None:
        if not future.done():
            future.set_result(None)

    def _get_actions_per_node(self, assignment: object) -> Any:
        request = Request([(topic, [(0, offset, 1)]) for topic, offset in self.following.items()])
        return [(NODE, request)] if self.following else [], {}, 2 * LOOK_S, False, []

    async def _send(self, node: int, request: Request) -> Any:
        self.fetched.append({topic for topic, _ in request.topics})
        return SimpleNamespace(API_VERSION=4, topics=[])

    async def _proc_fetch_request(self, assignment: object, node: int, request: Request) -> bool:
        answer = await self._client.send(node, request)
        self.received = {topic: places[0][-1] for topic, places in answer.topics}
        return self.brings or bool(self.received)

    async def step(self, assignment: Assignment, brings: bool = False) -> float | None:
        """Do what is planned: return for how long nothing is, or None once a fetch has been made."""
        requests, _, wait_s, _, _ = self._get_actions_per_node(assignment)
        self.brings = brings
        for node, request in requests:
            await self._proc_fetch_request(assignment, node, request)
        return None if requests else float(wait_s)
