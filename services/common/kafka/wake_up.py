"""Wake-up of a reader by the producers of its machine, which tell it what the broker has taken from them.

The embedded broker holds an empty fetch until its wait is over, whatever is produced meanwhile, brings one batch of a
partition at a time, and searches all that it keeps for it. So a reader there asks for nothing that it was told: what
goes on where it has read to is handed to it as if the broker had answered. It asks for the rest, at once and for the
partitions that have something new, and looks at all of them now and then: for messages of a producer that wakes
nobody, or that died before it could.
"""

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from copy import copy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from services.common.kafka.hearing import Hearing
from services.common.kafka.told_batches import ToldBatches

# Interval of fetches of every partition, without a wake-up (s).
LOOK_S = 0.5
# Version of a fetch's answer, if all of it is told.
_VERSION = 4


class _Asked:
    """What a broker was asked for during an assignment: when, and from which offsets."""

    def __init__(self, assignment: Any) -> None:
        self.assignment = assignment
        self.offsets: dict[TopicPartition, int] = {}
        self.brought = False
        self.at_s = self.looked_s = float("-inf")

    def has_more(self, place: TopicPartition, offset: int) -> bool:
        """Tell whether there is more, as far as is known: an answer brings one batch of each partition.

        A question that brought nothing is not asked again at once, whatever the end of the partition is said to be:
        it may be that of a transaction that is still open.
        """
        return offset != self.assignment.state_value(place).highwater and (
            self.brought or self.offsets.get(place) != offset
        )


def _offsets(request: Any) -> dict[TopicPartition, int]:
    return {
        TopicPartition(topic, number): offset
        for topic, places in request.topics
        for number, offset, _ in places
    }


def _narrow(request: Any, places: Collection[TopicPartition]) -> None:
    """Leave only `places` in a request."""
    topics = [
        (topic, [one for one in some if TopicPartition(topic, one[0]) in places])
        for topic, some in request.topics
    ]
    request._topics = [(topic, some) for topic, some in topics if some]


class _Client:
    """aiokafka's client, which answers a fetch with what its reader was told, and asks the broker for the rest."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    async def send(self, node: Any, request: Any, **how: Any) -> Any:
        told: dict[TopicPartition, tuple[bytes, int]] | None = getattr(request, "told", None)
        if not told:
            return await self._client.send(node, request, **how)
        asked, answer = copy(request), SimpleNamespace(API_VERSION=_VERSION, topics=[])
        _narrow(asked, _offsets(request).keys() - told.keys())
        if asked.topics:
            received = await self._client.send(node, asked, **how)
            answer = SimpleNamespace(API_VERSION=received.API_VERSION, topics=[*received.topics])
        version = answer.API_VERSION
        for place, (batches, end) in told.items():
            # The last stable offset; where the log begins; aborted transactions; the replica to prefer.
            rest = (end, *([0] if version >= 5 else []), [], *([-1] if version >= 11 else []), batches)
            answer.topics.append((place.topic, [(place.partition, 0, end, *rest)]))
        return answer


class WakeUp:
    """Decides when one started consumer of `topics` fetches, on the loop that runs, and hands it what it was told.

    Whatever else changes what is to be fetched (a seek, a rebalance, a pause, messages taken) changes it at once: a
    fetch that is put off does not exist yet.
    """

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        directory: Path,
        topics: Iterable[str],
        short_s: Callable[[], float],
        look_s: float = LOOK_S,
        can_wait: bool = False,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        """`short_s` returns the least time from one fetch to the next, unless the first has not brought everything.

        `look_s` is the interval at which it fetches what nobody has announced. With `can_wait` it is told of what can
        wait together with what cannot.

        Where no socket can be made the reader only looks now and then, and says so in the log.
        """
        self._short_s = short_s
        self._look_s = look_s
        self._seconds = seconds
        self._news: set[TopicPartition] = set()
        """Announced partitions that were not asked for since."""
        self._told = ToldBatches()
        self._asked: dict[Any, _Asked] = {}
        self._hearing = Hearing(directory, topics, can_wait)
        self._fetcher: Any = consumer._fetcher
        self._fetcher._client = _Client(self._fetcher._client)
        self._fetcher._fetch_max_wait_ms = 0
        self._fetch = self._fetcher._proc_fetch_request
        self._fetcher._proc_fetch_request = self._fetch_and_note
        self._plan = self._fetcher._get_actions_per_node
        self._fetcher._get_actions_per_node = self._plan_what_is_due

    def close(self) -> None:
        """Hear nothing any more."""
        self._hearing.close()

    def _hear(self) -> None:
        """Make the fetcher plan its requests again; until it has, wake-ups are ignored."""
        self._fetcher._notify(self._fetcher._wait_consume_future)

    def _hear_all(self, assignment: Any) -> None:
        """Take all that was said: a fetch that is sent from now on finds the messages it announced."""
        news, was_all = self._hearing.listen()
        for place, batch, _ in news:
            if batch:
                self._told.put(place, batch)
            else:
                self._news.add(place)
        if not was_all:
            self._news.update(assignment.tps)

    def _plan_what_is_due(self, assignment: Any) -> Any:
        """Return what the fetcher plans, without the fetches that can wait, and until when they can."""
        requests, resets, timeout_s, is_stale, resumed = self._plan(assignment)
        if requests:
            self._hear_all(assignment)
        due, waits_s, now_s = [], list[float](), self._seconds()
        for node, request in requests:
            asked = self._asked.get(node)
            if asked is None or asked.assignment is not assignment:
                asked = self._asked[node] = _Asked(assignment)
            offsets = _offsets(request)
            news = {
                place
                for place, offset in offsets.items()
                if self._told.has_news(place, offset) or place in self._news
            }
            more = {place for place, offset in offsets.items() if asked.has_more(place, offset)}
            look_s = asked.looked_s + self._look_s - now_s
            wait_s = 0.0 if more else min(look_s, asked.at_s + self._short_s() - now_s if news else look_s)
            if wait_s > 0:
                waits_s.append(wait_s)
                if not news:
                    self._hearing.call(self._hear)
                continue
            if look_s > 0:
                offsets = {place: offsets[place] for place in news | more}
                _narrow(request, offsets)
            else:
                asked.looked_s = now_s
            asked.at_s = now_s
            asked.offsets |= offsets
            request.told = self._found(assignment, offsets)
            for place in offsets.keys() - request.told.keys():
                self._told.asked(place)
                self._news.discard(place)
            if request.told.keys() == offsets.keys():
                self._hand_over(assignment, node, request)
            else:
                due.append((node, request))
        # The fetcher would look again five times a second, for nothing.
        timeout_s = min(waits_s) if waits_s and not due else min([timeout_s, *waits_s])
        return due, resets, timeout_s, is_stale, resumed

    def _hand_over(self, assignment: Any, node: Any, request: Any) -> None:
        """Give the consumer an answer for which nobody is asked, without a task of its own."""
        try:
            self._fetch_and_note(assignment, node, request).send(None)
        except StopIteration as ended:
            if ended.value:
                for waiter in list(self._fetcher._fetch_waiters):
                    self._fetcher._notify(waiter)
            return
        raise AssertionError("expected an answer at once")

    def _found(
        self, assignment: Any, offsets: Mapping[TopicPartition, int]
    ) -> dict[TopicPartition, tuple[bytes, int]]:
        """Return the batches that were told from these offsets on, and where their partitions end."""
        found: dict[TopicPartition, tuple[bytes, int]] = {}
        for place, offset in offsets.items():
            batches, end = self._told.after(place, offset)
            if batches:
                found[place] = batches, max(end, assignment.state_value(place).highwater or 0)
        return found

    async def _fetch_and_note(self, assignment: Any, node: Any, request: Any) -> Any:
        asked = self._asked[node]
        asked.brought = await self._fetch(assignment, node, request)
        return asked.brought
