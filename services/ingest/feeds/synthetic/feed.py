"""Synthetic feed: a made-up market, the same for everyone with the same seed."""

from collections.abc import AsyncGenerator

import structlog

from services.common.clock import MINUTE, SECOND
from services.common.errors import FatalError
from services.contracts.listings import Listing
from services.contracts.messages import FeedName, MarkPrice, Tick
from services.ingest.delivery_lag import DeliveryLags
from services.ingest.feed import FeedStatus, Item
from services.ingest.feeds.history_progress import HistoryProgress
from services.ingest.feeds.pace import Pace
from services.ingest.feeds.synthetic.account import Account
from services.ingest.feeds.synthetic.continuation import Continuation, OpenStore
from services.ingest.feeds.synthetic.rates import per_minute
from services.ingest.feeds.synthetic.trades import SyntheticTrades, Trade
from services.ingest.feeds.synthetic.venue import INSTRUMENTS, venue

VENUE = "synthetic"
_QUOTE = "USDT"

log = structlog.get_logger()


class SyntheticFeed:
    """Some history as fast as it is taken, then trades as time passes.

    What trades while the history is played is played after it, at once as well, until the present is reached. A
    restart repeats history with the same ids and values, and continues what another market left in the store.
    """

    name: FeedName = "synthetic"

    def __init__(
        self,
        symbols: tuple[str, ...],
        seed: int,
        rate: float | None,
        history_s: int,
        pace: Pace,
        open_store: OpenStore | None = None,
    ) -> None:
        self.delivery = DeliveryLags(pace.now_us)
        self._symbols = symbols
        self._seed = seed
        self._instruments = venue(seed).instruments
        self._rate = rate
        self._history_us = history_s * SECOND
        self._pace = pace
        self._open_store = open_store
        self._past: HistoryProgress | None = None
        self._played = 0

    async def check(self) -> None:
        """Raise FatalError for a symbol this market does not have, or a rate it cannot keep."""
        if unknown := [symbol for symbol in self._symbols if symbol not in self._instruments]:
            others = [symbol for symbol in self._instruments if symbol not in INSTRUMENTS]
            raise FatalError(
                f"PAIRSTREAM_SYMBOLS: expected symbols of the synthetic market ({', '.join(INSTRUMENTS)}, "
                f"{others[0]} to {others[-1]}), received {', '.join(unknown)}"
            )
        if self._rate and round(self._rate * 60 / len(self._symbols)) == 0:
            least = len(self._symbols) / 60
            raise FatalError(
                f"PAIRSTREAM_RATE: expected 0, or at least {least:.3f} ticks/s (one per symbol and minute), "
                f"received {self._rate:g}"
            )

    async def listing(self) -> list[Listing]:
        """Return the symbols of this market, which all trade for ever."""
        return [
            Listing(
                symbol=symbol,
                venue=VENUE,
                base=symbol.removesuffix(_QUOTE),
                quote=_QUOTE,
                contract_type="PERPETUAL",
                tick_size=float(f"1e-{instrument.price_decimals}"),
                size_step=float(f"1e-{instrument.size_decimals}"),
            )
            for symbol, instrument in self._instruments.items()
        ]

    async def stream(self) -> AsyncGenerator[Item]:
        """Yield ticks for ever, in order of event time over all symbols."""
        per_minute, account = self._per_minute(), Account(VENUE)
        trades = Continuation(SyntheticTrades(self._seed, per_minute), account, self._open_store)
        now_us = self._pace.now_us()
        await self._pace.until(now_us)
        start_us = now_us - self._history_us
        self._past = HistoryProgress(start_us, self._pace.present_us) if self._history_us else None
        yield FeedStatus("running", filling=None if self._past is None else self._past.filling())
        for event in await trades.resume(start_us, now_us):
            yield event
        trading = [symbol for symbol, count in per_minute.items() if count]
        index = start_us // MINUTE
        while True:
            for trade in await trades.minute(index):
                if trade.event_us < start_us:
                    continue
                if self._past is not None and (status := self._progress(self._past, trade.event_us)):
                    yield status
                await self._pace.until(trade.event_us)
                self._played += 1
                tick = self._tick(trade)
                # At another speed its clock is not that of the receipts.
                if self._past is None and self._pace.is_real:
                    self.delivery.take(tick.symbol, tick.received_us, tick.event_us)
                yield tick
            account.played(index, per_minute)
            index += 1
            if self._past is None:
                for event in account.events(trading, index * MINUTE - 1, self._pace.now_us()):
                    yield event
            if self._past is not None and (status := self._progress(self._past, index * MINUTE)):
                yield status
            await self._pace.until(index * MINUTE)

    def vouches(self, price: MarkPrice) -> bool:
        """There are no mark prices."""
        return False

    def _per_minute(self) -> dict[str, int]:
        return per_minute(self._symbols, self._rate, self._instruments)

    def _progress(self, past: HistoryProgress, event_us: int) -> FeedStatus | None:
        """Return what there is to say of the past when the feed comes to `event_us`, and forget it once it is over."""
        if past.is_over(event_us):
            log.info("history played", seconds=int(past.filling().total_s), ticks=self._played)
            self._past = None
            return FeedStatus("running")
        filling = past.reached(event_us)
        return FeedStatus("running", filling=filling) if filling else None

    def _tick(self, trade: Trade) -> Tick:
        if isinstance(trade, Tick):
            return trade
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
