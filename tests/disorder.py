"""Disorderly tapes, in the order of their arrival, as recordings and live feeds bring them to ingest."""

import random
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

from msgspec import structs

from services.common.clock import HOUR, SECOND
from services.contracts.messages import LegTrade, Tick
from services.ingest.time_marks import TimeMarks
from services.ingest.venues.timestamps import TimestampCheck
from services.stream_analytics.router import leg_mark, leg_trade

_DAY_US = 24 * HOUR
Kind = Callable[[Sequence[Tick]], Iterable[Tick]]


def _late(ticks: Iterable[Tick], symbol: str, first_s: int, last_s: int, by_s: float) -> list[Tick]:
    """Have the trades of a symbol between two seconds arrive later, in their order."""
    ticks, found, arrived_us = list(ticks), [], 0
    start_us = ticks[0].event_us
    for tick in ticks:
        if tick.symbol == symbol:
            is_late = first_s <= (tick.event_us - start_us) / SECOND < last_s
            arrived_us = max(arrived_us, tick.received_us + is_late * round(by_s * SECOND))
            tick = structs.replace(tick, received_us=arrived_us)
        found.append(tick)
    return found


def _one_leg_late(ticks: Sequence[Tick]) -> Iterable[Tick]:
    return _late(ticks, "ETHUSDT", 30, 60, 5)


def _a_quiet_leg_late(ticks: Sequence[Tick]) -> Iterable[Tick]:
    """One that trades every few seconds: that it is late cannot be told from its silence."""
    thin = [tick for tick in ticks if tick.symbol != "ETHUSDT" or tick.trade_id % 15 == 0]
    numbered = [
        structs.replace(tick, trade_id=tick.trade_id // 15) if tick.symbol == "ETHUSDT" else tick
        for tick in thin
    ]
    return _late(numbered, "ETHUSDT", 30, 60, 5)


def _both_in_turn(ticks: Sequence[Tick]) -> Iterable[Tick]:
    return _late(_late(ticks, "ETHUSDT", 20, 35, 6), "BTCUSDT", 50, 65, 4)


def _connection_late(ticks: Sequence[Tick]) -> Iterable[Tick]:
    """What three symbols traded in 20 s comes at once, at their end."""
    start_us = ticks[0].event_us
    for tick in ticks:
        if (
            tick.symbol in ("BTCUSDT", "ETHUSDT", "SOLUSDT")
            and 30 <= (tick.event_us - start_us) / SECOND < 50
        ):
            tick = structs.replace(tick, received_us=start_us + 50 * SECOND)
        yield tick


def _future_stamps(ticks: Sequence[Tick]) -> Iterable[Tick]:
    for number, tick in enumerate(ticks):
        ahead_us = {600: 50 * SECOND, 1500: _DAY_US}.get(number, 0)
        yield structs.replace(tick, event_us=tick.event_us + ahead_us) if ahead_us else tick


def _swapped_ids(ticks: Sequence[Tick]) -> Iterable[Tick]:
    """Every tenth trade of a symbol has the id of the next one, which follows within a microsecond."""
    swapped: dict[tuple[str, int], Tick] = {}
    for symbol in {tick.symbol for tick in ticks}:
        own = [tick for tick in ticks if tick.symbol == symbol]
        for number, (one, other) in enumerate(pairwise(own)):
            if number % 10 == 0:
                at_us = one.event_us
                swapped[symbol, one.trade_id] = structs.replace(one, trade_id=other.trade_id)
                swapped[symbol, other.trade_id] = structs.replace(
                    other, trade_id=one.trade_id, event_us=at_us + 1, received_us=at_us + 1
                )
    return sorted(
        (swapped.get((tick.symbol, tick.trade_id), tick) for tick in ticks), key=lambda one: one.event_us
    )


def _repaired_gaps(ticks: Sequence[Tick]) -> Iterable[Tick]:
    """Runs of ids are asked for afterwards, and come 4 s late."""
    for tick in ticks:
        if 20 <= tick.trade_id % 100 < 30:
            tick = structs.replace(tick, repaired=True, received_us=tick.received_us + 4 * SECOND)
        yield tick


def _a_leg_silent(ticks: Sequence[Tick]) -> Iterable[Tick]:
    """From second 20 to the last five a symbol does not trade."""
    first_us, last_us = ticks[0].event_us + 20 * SECOND, ticks[-1].event_us - 5 * SECOND
    missing = [t for t in ticks if t.symbol == "ETHUSDT" and first_us <= t.event_us < last_us]
    for tick in ticks:
        if tick.symbol != "ETHUSDT" or tick.event_us < first_us:
            yield tick
        elif tick.event_us >= last_us:
            yield structs.replace(tick, trade_id=tick.trade_id - len(missing))


def _new_numbering(ticks: Sequence[Tick]) -> Iterable[Tick]:
    middle = next(t for t in ticks if t.symbol == "ETHUSDT" and t.event_us > ticks[len(ticks) // 2].event_us)
    for tick in ticks:
        if tick.symbol == "ETHUSDT" and tick.trade_id >= middle.trade_id:
            tick = structs.replace(tick, trade_id=tick.trade_id - middle.trade_id + 1)
        yield tick


def _clock_a_day_back(ticks: Sequence[Tick]) -> Iterable[Tick]:
    middle_us = ticks[len(ticks) // 2].event_us
    for tick in ticks:
        back = tick.symbol == "ETHUSDT" and tick.event_us >= middle_us
        yield structs.replace(tick, event_us=tick.event_us - _DAY_US) if back else tick


def _a_minute_again(ticks: Sequence[Tick]) -> Iterable[Tick]:
    """The venue repeats what it has sent."""
    middle_us = ticks[len(ticks) // 2].event_us
    yield from ticks
    for tick in ticks:
        if tick.symbol == "ETHUSDT" and middle_us - 20 * SECOND <= tick.event_us < middle_us:
            yield structs.replace(tick, received_us=middle_us)


KINDS: dict[str, Kind] = {
    "orderly": lambda ticks: ticks,
    **{
        kind.__name__.strip("_").replace("_", " "): kind
        for kind in (
            _one_leg_late,
            _a_quiet_leg_late,
            _both_in_turn,
            _connection_late,
            _future_stamps,
            _swapped_ids,
            _repaired_gaps,
            _a_leg_silent,
            _new_numbering,
            _clock_a_day_back,
            _a_minute_again,
        )
    },
}


def disordered(ticks: Sequence[Tick], kind: str) -> list[Tick]:
    """Return a tape with a disorder, in the order in which it is received."""
    return sorted(KINDS[kind](ticks), key=lambda tick: tick.received_us)


def arrivals(ticks: Sequence[Tick], kind: str) -> list[Tick]:
    """Return a tape with a disorder as ingest takes it: what it refuses is not there."""
    stamps = TimestampCheck()
    return [tick for tick in disordered(ticks, kind) if stamps.refuse(tick) is None]


def topics(arrived: Iterable[Tick]) -> tuple[dict[str, list[LegTrade]], dict[str, list[LegTrade]]]:
    """Return what ingest publishes of each symbol, its trades and its marks, as the pairs get them."""
    following = TimeMarks()
    trades: dict[str, list[LegTrade]] = {}
    marks: dict[str, list[LegTrade]] = {}
    for tick in arrived:
        told, found = following.trade(tick, tick.received_us - tick.event_us)
        trades.setdefault(tick.symbol, []).append(leg_trade(told))
        for mark in found:
            marks.setdefault(mark.symbol, []).append(leg_mark(mark))
    for mark in following.end():
        marks.setdefault(mark.symbol, []).append(leg_mark(mark))
    return trades, marks


def mixed(queues: Iterable[Iterable[LegTrade]], seed: int) -> list[LegTrade]:
    """Return queues as one, each in its own order and at its own pace."""
    draw, waiting, found = random.Random(seed), [list(queue) for queue in queues], list[LegTrade]()
    paces = [draw.random() for _ in waiting]
    while filled := [number for number, queue in enumerate(waiting) if queue]:
        queue = waiting[draw.choices(filled, [paces[number] for number in filled])[0]]
        found += queue[: (some := draw.randrange(1, 30))]
        del queue[:some]
    return found
