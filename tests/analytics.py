"""Expected output of stream_analytics for a tape: one uninterrupted worker, without Kafka."""

from collections.abc import Iterable, Mapping
from random import Random

from services.common.clock import SECOND
from services.contracts.messages import LegTrade, PairConfig, Signal, Tick, TimeMark
from services.ingest.time_marks import TimeMarks
from services.stream_analytics.corrections import Outcome
from services.stream_analytics.pair_partition import PairPartition
from services.stream_analytics.router import leg_mark, leg_trade
from tests import builders

# As in the settings of stream_analytics.
HORIZON_US = 30 * SECOND


def walk(
    prices: Mapping[str, float], per_second: float, start_us: int, seconds: int, draw: Random
) -> list[Tick]:
    """Return futures that walk at random from `prices` on, `per_second` trades of all together."""
    latest, counts = dict(prices), dict.fromkeys(prices, 0)
    ticks: list[Tick] = []
    now = start_us
    while now < start_us + seconds * SECOND:
        now += 1 + int(draw.expovariate(per_second / SECOND))
        symbol = draw.choice(list(latest))
        latest[symbol] *= 1 + draw.gauss(0, 1e-4)
        counts[symbol] += 1
        ticks.append(
            builders.tick(
                venue="test", symbol=symbol, trade_id=counts[symbol], event_us=now, price=latest[symbol]
            )
        )
    return ticks


def published(ticks: Iterable[Tick], marks: TimeMarks) -> tuple[list[Tick], list[TimeMark]]:
    """Return ticks as ingest publishes them, and the time marks it puts between them."""
    both = [marks.trade(tick, tick.received_us - tick.event_us) for tick in ticks]
    return [tick for tick, _ in both], [mark for _, found in both for mark in found]


def leg_trades(ticks: Iterable[Tick], ends: bool = True) -> list[LegTrade]:
    """Return the trades of a tape with the time marks that ingest puts between them, and at its end."""
    marks, trades = TimeMarks(), []
    for tick in ticks:
        told, found = marks.trade(tick, tick.received_us - tick.event_us)
        trades += [leg_trade(told), *map(leg_mark, found)]
    return trades + [leg_mark(mark) for mark in (marks.end() if ends else ())]


def final_signals(said: Iterable[Outcome]) -> list[Signal]:
    """Return what holds of each second in the end, in their order."""
    latest: dict[int, Signal] = {}
    for outcome in said:
        latest[outcome.signal.event_us] = outcome.signal
    return [latest[at] for at in sorted(latest)]


def outcomes(ticks: Iterable[Tick], config: PairConfig, ends: bool = True) -> list[Outcome]:
    """Return what the closed seconds of a pair say, corrections after what they correct."""
    partition = PairPartition({}, horizon_us=HORIZON_US)
    partition.configure({config.pair: config})
    said, _ = partition.take(leg_trades(ticks, ends))
    return [outcome for outcome in said if outcome.signal.closed]
