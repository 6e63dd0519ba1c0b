"""History filler: a pair waits for its past, and nothing is said of it before."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from structlog.testing import capture_logs

from services.common.errors import TransientError
from services.common.kafka.pair_configs import PairConfigs
from services.contracts.messages import Signal
from services.stream_analytics.corrections import Outcome
from services.stream_analytics.faust.history_filler import HistoryFiller
from services.stream_analytics.faust.pair_partitions import PairPartitions
from services.stream_analytics.pair_filling import LegHistory, Span
from services.stream_analytics.settings import StreamSettings
from tests import virtual_time
from tests.unit.stream_analytics.made_tape import CONFIG, run, tape


class Publisher:
    """A publisher that has published at once."""

    async def send(self, topic: str, **_: Any) -> None:
        """Take a message."""

    async def flush(self, *_: str) -> None:
        """Deliver."""


def test_a_pair_whose_past_cannot_be_read_waits_for_it() -> None:
    """What it says then is what it would have said had it been read at once."""
    trades, live = tape(3), 300
    said: list[Signal] = []
    refusals = 3

    async def read(spans: Mapping[str, Span]) -> Mapping[str, LegHistory]:
        nonlocal refusals
        assert said == []
        if refusals:
            refusals -= 1
            raise TransientError("expected the newest ticks, received TimeoutError")
        known = [trade for trade in trades[:live] if trade.price is not None]
        return {symbol: LegHistory(recent=[one for one in known if one.symbol == symbol]) for symbol in spans}

    async def fill() -> None:
        pairs = PairConfigs()
        pairs.by_name = {CONFIG.pair: CONFIG}
        table: Any = SimpleNamespace(data={})
        settings = StreamSettings(partitions=1, correction_horizon_s=0)
        partitions = PairPartitions(table, pairs, settings, {}, has_history=True)
        publisher: Any = Publisher()
        joined = asyncio.Event()

        async def publish(_: int, outcomes: Sequence[Outcome], names: Collection[str]) -> None:
            said.extend(one.signal for one in outcomes)
            if names:
                joined.set()

        partitions.get(0, publisher).take(trades[live:])
        filling = asyncio.create_task(HistoryFiller(partitions, read, publish, lambda _: True).run(publisher))
        await joined.wait()
        filling.cancel()
        assert list(partitions.get(0, publisher).trackers) == [CONFIG.pair]

    with capture_logs() as logs:
        virtual_time.run(fill())
    waited = [log for log in logs if log["log_level"] == "warning"]
    assert [log["pairs"] for log in waited] == [[CONFIG.pair]] * 3
    expected = {one.signal.event_us: one.signal.zscore for one in run(trades, CONFIG)}
    assert len(said) > 40
    assert {one.event_us: one.zscore for one in said} == {
        one.event_us: expected[one.event_us] for one in said
    }
