import asyncio
from collections.abc import Collection

from services.contracts.topics import ALERTS, LEG_TRADES, SIGNALS, TICKS, TIME_MARKS, Topic
from services.stream_analytics.faust.back_pressure import BackPressure


def held(
    full: Collection[Topic] = (), in_flight: int = 0, waiting: dict[Topic, int] | None = None
) -> set[str]:
    pressure = BackPressure(lambda topic: topic not in full, lambda: in_flight)
    for topic, count in (waiting or {}).items():
        queue: asyncio.Queue[int] = asyncio.Queue()
        for number in range(count):
            queue.put_nowait(number)
        pressure.watch(topic, queue)
    return pressure.held()


def test_nothing_is_held_while_all_keep_up() -> None:
    assert held(waiting={TICKS: 1, LEG_TRADES: 1}) == set()


def test_ticks_are_not_fetched_while_their_trades_cannot_be_written() -> None:
    for full, in_flight in (({LEG_TRADES}, 0), (set(), 100)):
        assert held(full, in_flight) == {TICKS.name, TIME_MARKS.name}


def test_trades_are_not_fetched_while_their_signals_cannot_be_written() -> None:
    assert held({SIGNALS}) == held({ALERTS}) == {LEG_TRADES.name}


def test_a_topic_whose_agent_is_behind_is_not_fetched_and_others_are() -> None:
    assert held(waiting={TICKS: 100, LEG_TRADES: 0}) == {TICKS.name}


def test_a_topic_whose_agent_is_behind_is_not_blocked_for_the_watchdog() -> None:
    pressure = BackPressure(lambda topic: topic is not SIGNALS, lambda: 0)
    queue: asyncio.Queue[int] = asyncio.Queue()
    for number in range(100):
        queue.put_nowait(number)
    pressure.watch(TICKS, queue)
    assert pressure.blocked() == {LEG_TRADES.name}
    assert pressure.held() == {LEG_TRADES.name, TICKS.name}
