"""Router from the topics of ingest to the partitions of the pairs."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Protocol

from services.common import clock
from services.common.clock import SECOND
from services.common.codec import decode_all
from services.common.kafka.dead_letters import DeadLetter
from services.common.kafka.pair_configs import PairConfigs
from services.common.kafka.publisher import partition_of_key
from services.common.plausibility import decode_ticks
from services.contracts.messages import LegTrade, Tick, TimeMark
from services.stream_analytics.fan_out import FanOut
from services.stream_analytics.metrics import Stage
from services.stream_analytics.partition_assignment import routes
from services.stream_analytics.signal_publisher import BEHIND_S, SignalPublisher


class ReadPosition(Protocol):
    """Observer of the router: learns of every bundle that was read, and takes bad messages."""

    def took(self, event: Any, stage: Stage) -> float:
        """Note that a bundle was read, and return how long its oldest message has waited (s)."""

    async def dead_letter(self, letters: Sequence[DeadLetter]) -> None:
        """Put aside messages that are bad, and return when the broker has them."""


async def messages(event: Any, kind: type[Any], reading: ReadPosition) -> list[Any]:
    """Return the messages of a bundle; a bad one is put aside with its own place, and takes nothing from the others.

    A tick whose times cannot be true is bad: taken for true it would make all that follows late.
    """
    records = event.message.value.records
    raws = [record.value for record in records]
    found = decode_ticks(raws, clock.now_us()) if kind is Tick else decode_all(raws, kind)
    if found.bad:
        await reading.dead_letter([dead_letter(records[place], error) for place, error in found.bad.items()])
    return found.messages


def dead_letter(record: Any, error: Exception) -> DeadLetter:
    """Return the dead letter of a bad record of Kafka."""
    return DeadLetter.of(record.topic, record.partition, record.offset, record.value, str(error))


def runs(ticks: Iterable[Tick]) -> list[LegTrade]:
    """Return the trades that decide what seconds close with: of consecutive ones of a second the last, for all of them.

    Each symbol's keep their order. One that marks went before begins a run.
    """
    trades: list[LegTrade] = []
    open_runs: dict[str, tuple[Tick, Tick]] = {}
    for tick in ticks:
        if (run := open_runs.get(tick.symbol)) is not None:
            first, last = run
            if (
                tick.trade_id == last.trade_id + 1
                and tick.event_us >= last.event_us
                and tick.event_us // SECOND == last.event_us // SECOND
                and not tick.marks
            ):
                open_runs[tick.symbol] = first, tick
                continue
            trades.append(leg_trade(last, first))
        open_runs[tick.symbol] = tick, tick
    trades += [leg_trade(last, first) for first, last in open_runs.values()]
    return trades


def leg_trade(tick: Tick, first: Tick | None = None) -> LegTrade:
    """Return what the tapes need of a trade; with `first` it is the last of a run that begins there."""
    if first is None:
        return LegTrade(tick.symbol, tick.event_us, tick.trade_id, tick.price, marks=tick.marks)
    return LegTrade(tick.symbol, tick.event_us, tick.trade_id, tick.price, first.trade_id, marks=first.marks)


def leg_mark(mark: TimeMark) -> LegTrade:
    """Return what the tapes need of a mark."""
    return LegTrade(mark.symbol, mark.event_us, mark.trade_id, is_doubtful=mark.is_doubtful)


class Router:
    """Sends trades and time marks where their pairs are, and shows trades to the pairs that are here at once."""

    def __init__(
        self,
        fan_out: FanOut,
        pairs: PairConfigs,
        speaker: SignalPublisher,
        partitions: int,
        every_trade: bool,
        reading: ReadPosition,
    ) -> None:
        """`partitions` are how many a topic has; with `every_trade` each one matters, of the past, too."""
        self._fan_out = fan_out
        self._pairs = pairs
        self._speaker = speaker
        self._numbers = range(partitions)
        self._every_trade = every_trade
        self._reading = reading
        self._routed = -1
        self._seconds: dict[str, int] = {}
        """The latest second of each symbol."""

    async def ticks(self, event: Any) -> int:
        """Route a bundle of ticks and return how many it held; those that were lost before it are told first."""
        ticks = await messages(event, Tick, self._reading)
        waited_s = self._reading.took(event, "ticks")
        is_past = waited_s > BEHIND_S or self._speaker.is_behind
        trades = runs(ticks) if is_past and not self._every_trade else [leg_trade(tick) for tick in ticks]
        await self._reroute()
        if event.message.value.is_after_loss:
            await self._lose(event.message.partition, {trade.symbol for trade in trades})
        await self._fan_out.put(event, trades, not is_past and self._is_urgent(trades))
        if waited_s <= BEHIND_S:
            here: dict[int, list[LegTrade]] = {}
            for trade in trades:
                for number in self._fan_out.routes.get(trade.symbol, ()):
                    here.setdefault(number, []).append(trade)
            for number, some in here.items():
                await self._speaker.peek(number, some, waited_s)
        return len(ticks)

    async def marks(self, event: Any) -> None:
        """Route a bundle of time marks."""
        marks = await messages(event, TimeMark, self._reading)
        trades = [leg_mark(mark) for mark in marks]
        waited_s = self._reading.took(event, "time_marks")
        await self._reroute()
        await self._fan_out.put(event, trades, waited_s <= BEHIND_S and not self._speaker.is_behind)

    async def _lose(self, partition: int, here: Collection[str]) -> None:
        """Tell the pairs that ticks of a partition were lost: of the symbols `here` and of all whose keys go there."""
        symbols = [
            symbol
            for symbol in self._fan_out.routes
            if symbol in here or partition_of_key(symbol.encode(), self._numbers) == partition
        ]
        await self._fan_out.put(None, [LegTrade(symbol, 0, 0, lost=True) for symbol in symbols])

    def _is_urgent(self, trades: list[LegTrade]) -> bool:
        """Tell whether a trade may close a second, or is of pairs that have not seen it yet: those of other workers."""
        is_urgent = self._every_trade
        for trade in trades:
            second = trade.event_us // SECOND
            if second > self._seconds.get(trade.symbol, -1):
                self._seconds[trade.symbol] = second
                is_urgent = True
        return is_urgent or not all(
            self._speaker.has(number)
            for symbol in {trade.symbol for trade in trades}
            for number in self._fan_out.routes.get(symbol, ())
        )

    async def _reroute(self) -> None:
        if self._routed != self._pairs.version:
            await self._pairs.loaded.wait()
            self._fan_out.routes = routes(self._pairs.by_name.values(), len(self._numbers))
            self._routed = self._pairs.version
