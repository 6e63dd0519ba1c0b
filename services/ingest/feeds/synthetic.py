"""The synthetic feed: a made-up market that is the same for everyone with the same seed."""

from collections.abc import AsyncGenerator

import structlog

from services.common.clock import MINUTE, SECOND
from services.common.errors import FatalError
from services.common.messages import FeedName, Tick
from services.ingest.feeds.feed import Item, Status
from services.ingest.feeds.pace import Pace
from services.ingest.feeds.synthetic_market import INSTRUMENTS
from services.ingest.feeds.synthetic_trades import Trade, Trades

VENUE = "synthetic"

log = structlog.get_logger()


class SyntheticFeed:
    """Some history at once, then trades as time passes. A restart repeats history with the same ids and values."""

    name: FeedName = "synthetic"

    def __init__(self, symbols: tuple[str, ...], seed: int, rate: float, history_s: int, pace: Pace) -> None:
        self._symbols = symbols
        self._seed = seed
        self._rate = rate
        self._history_us = history_s * SECOND
        self._pace = pace

    async def check(self) -> None:
        """Raise FatalError for a symbol this market does not have, or a rate it cannot keep."""
        if unknown := [symbol for symbol in self._symbols if symbol not in INSTRUMENTS]:
            raise FatalError(
                f"PAIRSTREAM_SYMBOLS: expected symbols of the synthetic market ({', '.join(INSTRUMENTS)}), "
                f"received {', '.join(unknown)}"
            )
        if self._rate and not self._trades().per_minute:
            least = len(self._symbols) / 60
            raise FatalError(
                f"PAIRSTREAM_RATE: expected 0, or at least {least:.3f} ticks/s (one per symbol and minute), "
                f"received {self._rate:g}"
            )

    async def stream(self) -> AsyncGenerator[Item]:
        """Yield ticks for ever, in order of event time over all symbols."""
        trades = self._trades()
        now_us = self._pace.now_us()
        await self._pace.until(now_us)
        index, played, past = (now_us - self._history_us) // MINUTE, 0, True
        while True:
            for trade in trades.minute(index):
                if past and trade.event_us >= now_us:
                    past = False
                    yield self._caught_up(played)
                if trade.event_us >= now_us - self._history_us:
                    await self._pace.until(trade.event_us)
                    played += 1
                    yield self._tick(trade)
            index += 1
            if past and index * MINUTE > now_us:
                past = False
                yield self._caught_up(played)
            await self._pace.until(index * MINUTE)

    def _trades(self) -> Trades:
        return Trades(self._seed, self._symbols, self._rate)

    def _caught_up(self, played: int) -> Status:
        log.info("history played", seconds=self._history_us // SECOND, ticks=played)
        return Status("running")

    def _tick(self, trade: Trade) -> Tick:
        return Tick(
            venue=VENUE,
            symbol=trade.symbol,
            trade_id=trade.trade_id,
            event_us=trade.event_us,
            received_us=self._pace.now_us(),
            price=trade.price,
            size=trade.size,
            buyer_is_maker=trade.buyer_is_maker,
        )
