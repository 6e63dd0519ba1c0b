"""What stream_analytics should say of a tape: one worker that nothing interrupts, without Kafka."""

from collections.abc import Iterable, Mapping
from random import Random

from services.common.clock import SECOND
from services.common.messages import LegTrade, PairConfig, Tick
from services.ingest.time_marks import TimeMarks
from services.stream_analytics.partition import Partition
from services.stream_analytics.tracker import Outcome


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
            Tick(
                venue="test",
                symbol=symbol,
                trade_id=counts[symbol],
                event_us=now,
                received_us=now,
                price=latest[symbol],
                size=1.0,
                buyer_is_maker=False,
            )
        )
    return ticks


def leg_trades(ticks: Iterable[Tick], ends: bool = True) -> list[LegTrade]:
    """Return the trades of a tape with the time marks that ingest puts between them, and at its end."""
    marks, trades = TimeMarks(), []
    for tick in ticks:
        trades.append(LegTrade(tick.symbol, tick.event_us, tick.trade_id, tick.price))
        trades += [LegTrade(mark.symbol, mark.event_us, mark.trade_id) for mark in marks.trade(tick)]
    if ends:
        trades += [LegTrade(mark.symbol, mark.event_us, mark.trade_id) for mark in marks.end()]
    return trades


def outcomes(ticks: Iterable[Tick], config: PairConfig, ends: bool = True) -> list[Outcome]:
    """Return what each closed second of a pair says."""
    partition = Partition({})
    partition.configure({config.pair: config})
    said, _ = partition.take(leg_trades(ticks, ends))
    return [outcome for outcome in said if outcome.signal.closed]
