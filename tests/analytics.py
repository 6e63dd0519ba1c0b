"""What stream_analytics should say of a tape: one worker that nothing interrupts, without Kafka."""

from collections.abc import Iterable

from services.common.messages import LegTrade, PairConfig, Tick
from services.ingest.time_marks import TimeMarks
from services.stream_analytics.partition import Partition
from services.stream_analytics.tracker import Outcome


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
