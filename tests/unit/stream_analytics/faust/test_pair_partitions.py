"""Order of storing, publishing and acknowledging, and when trades of a silent leg's partner are released."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec import structs
from structlog.testing import capture_logs

from services.common.kafka.pair_configs import PairConfigs
from services.contracts import topics
from services.contracts.messages import LegTrade
from services.stream_analytics.faust.pair_partitions import PairPartitions
from services.stream_analytics.settings import StreamSettings
from tests.unit.stream_analytics.made_tape import CONFIG, Event, closed_signals, tape


class Broker:
    """A publisher that notes what it is asked for; of `full` partitions there is no room."""

    def __init__(self, *full: int) -> None:
        self.done: list[str] = []
        self._full = full

    async def send(self, topic: str, **_: Any) -> None:
        """Take a message."""
        if self.done[-1:] != [topic]:
            self.done.append(topic)

    async def flush(self, *names: str) -> None:
        """Deliver."""
        self.done.append(f"flush {names[0]}")

    def has_room(self, _: str, partition: int) -> bool:
        """Tell whether there is room."""
        return partition not in self._full


def saved(broker: Broker, trades: list[LegTrade], has_read_all: bool) -> list[int]:
    """Return which of four events are acknowledged when a partition that took `trades` has been saved once."""
    acknowledged: list[int] = []
    counters: dict[str, int] = {"released": 0}

    async def run() -> None:
        pairs = PairConfigs()
        pairs.by_name = {CONFIG.pair: CONFIG}
        table: Any = SimpleNamespace(data={})
        partitions = PairPartitions(
            table,
            pairs,
            StreamSettings(save_interval_s=0.001, partitions=1, correction_horizon_s=0),
            counters,
        )
        publisher: Any = broker
        partition = partitions.get(0, publisher)
        for number in range(4):
            some = trades[number::4]
            partition.take(sorted(some, key=lambda one: one.event_us))
            partition.hold(Event(number, acknowledged), some)
        once = asyncio.Event()

        def took(_: float) -> None:
            once.set()

        saving = asyncio.create_task(partitions.save(publisher, lambda _: True, lambda _: has_read_all, took))
        await once.wait()
        saving.cancel()

    asyncio.run(run())
    assert counters["released"] == (len(acknowledged) if 0 in broker._full else 0)
    return acknowledged


def test_a_state_is_stored_only_after_the_signals_that_it_implies() -> None:
    broker = Broker()
    assert saved(broker, tape(1), has_read_all=True) != []
    first = f"flush {topics.SIGNALS.name}"
    assert broker.done[:3] == [first, topics.WINDOWS.name, f"flush {topics.WINDOWS.name}"]


@pytest.mark.parametrize(
    ("full", "has_read_all", "let_go"),
    [((), True, []), ((1,), True, []), ((0,), False, []), ((0,), True, [0, 1])],
)
def test_what_is_held_for_a_silent_leg_is_let_go_of_only_where_nothing_else_helps(
    full: tuple[int, ...], has_read_all: bool, let_go: list[int]
) -> None:
    alone = [trade for trade in tape(1) if trade.symbol == "BTCUSDT" and trade.price is not None]
    assert saved(Broker(*full), alone, has_read_all) == let_go


def test_a_pair_from_before_goes_on_and_the_log_says_what_is_wrong_with_it() -> None:
    pairs = PairConfigs()
    doubtful = structs.replace(CONFIG, transform="log", intercept=False)
    pairs.by_name = {doubtful.pair: doubtful}
    table: Any = SimpleNamespace(data={})
    partitions = PairPartitions(table, pairs, StreamSettings(partitions=1), {})
    publisher: Any = Broker()
    with capture_logs() as logged:
        partition = partitions.get(0, publisher)
        partitions.get(0, publisher)
    assert [(entry["pair"], entry["warning"]) for entry in logged] == [(CONFIG.pair, doubtful.warning)]
    assert closed_signals(partition, tape(60))[-1].quality == "ok"
