"""Gap repair: requests the trades that a venue's streams missed."""

from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable

import structlog

from services.common import clock
from services.common.backoff import Backoff
from services.common.cancellation import pause
from services.common.clock import HOUR, MINUTE, SECOND
from services.common.errors import BadMessageError, TransientError
from services.contracts.messages import TapeEvent, Tick
from services.ingest.tape.ledger import OpenGap
from services.ingest.tape.tape import Tape
from services.ingest.venues.rest import GoneError, VenueBusyError
from services.ingest.venues.venue import Venue

_IDLE_S = 0.2
# A trade that only overtook another on its way is there by then, and so is what REST knows.
_SETTLE_US = SECOND
# Binance keeps 48 h; the rest is for the time that asking takes.
_KEPT_US = 48 * HOUR - 10 * MINUTE
_USELESS_ANSWERS = 10

log = structlog.get_logger()


class Repairer:
    """Asks one venue, page by page: the oldest gap of each symbol, one symbol after the other."""

    def __init__(
        self,
        tape: Tape,
        venue: Venue,
        now_us: Callable[[], int] = clock.now_us,
        sleep: Callable[[float], Awaitable[None]] = pause,
    ) -> None:
        self._tape = tape
        self._venue = venue
        self._now_us = now_us
        self._sleep = sleep
        self._turns = 0
        self._served: dict[str, int] = {}
        self._delays: dict[str, Backoff] = defaultdict(lambda: Backoff(first_s=1.0, cap_s=60.0))
        self._not_before: Counter[str] = Counter()
        self._venue_not_before = 0
        self._useless: Counter[str] = Counter()

    async def batches(self) -> AsyncGenerator[list[Tick | TapeEvent]]:
        """Yield what to publish, for ever; what is yielded counts as published.

        A gap stays open, and is asked for again later, while the venue does not answer.
        """
        while True:
            gap = self._next()
            if gap is None:
                await self._sleep(_IDLE_S)
            elif items := await self._ask(gap):
                yield items

    def _next(self) -> OpenGap | None:
        now_us = self._now_us()
        if now_us < self._venue_not_before:
            return None
        due = [
            gap
            for gap in self._tape.oldest_gaps()
            if gap.venue == self._venue.name
            and gap.found_us + _SETTLE_US <= now_us
            and self._not_before[gap.symbol] <= now_us
        ]
        return min(due, key=lambda gap: self._served.get(gap.symbol, 0), default=None)

    async def _ask(self, gap: OpenGap) -> list[Tick | TapeEvent]:
        self._turns += 1
        self._served[gap.symbol] = self._turns
        first_id = self._tape.first_missing(gap)
        if first_id is None:
            return self._give_up(gap, gap.reason or "the venue no longer has it")
        try:
            page = await self._venue.trades(gap.symbol, first_id)
        except GoneError as error:
            return await self._go_past(gap, first_id, str(error))
        except BadMessageError as error:
            return self._learn_nothing(gap, str(error))
        except TransientError as error:
            self._put_off(gap, error)
            return []
        lowest = min((tick.trade_id for tick in page if tick.trade_id >= first_id), default=None)
        if lowest is None:
            reason = f"expected trades from {first_id} on, received a page of {len(page)} without one"
            return self._learn_nothing(gap, reason)
        self._delays[gap.symbol].reset()
        self._useless[gap.symbol] = 0
        if lowest > first_id:
            # A second answer decides whether the venue has issued what is not here, and not in the same instant.
            self._not_before[gap.symbol] = self._now_us() + _SETTLE_US
        return self._tape.repair(gap, first_id, page, self._now_us())

    async def _go_past(self, gap: OpenGap, first_id: int, reason: str) -> list[Tick | TapeEvent]:
        """Go on where the venue's memory begins, if that is inside the gap."""
        start_us = self._now_us() - _KEPT_US
        kept: list[Tick] = []
        if gap.start_us < start_us <= gap.end_us:
            try:
                kept = await self._venue.since(gap.symbol, start_us)
            except GoneError as error:
                reason = str(error)
            except (BadMessageError, TransientError) as error:
                self._put_off(gap, error)
                return []
        if not kept or not first_id < kept[0].trade_id <= gap.last_id:
            return self._give_up(gap, reason)
        self._tape.skip(gap, kept[0].trade_id, reason)
        return []

    def _learn_nothing(self, gap: OpenGap, reason: str) -> list[Tick | TapeEvent]:
        """Count an answer that neither has the trades nor denies them: such a venue is not asked for ever."""
        self._useless[gap.symbol] += 1
        if self._useless[gap.symbol] < _USELESS_ANSWERS:
            self._put_off(gap, TransientError(reason))
            return []
        self._useless[gap.symbol] = 0
        return self._give_up(gap, f"{_USELESS_ANSWERS} useless answers, the last: {reason}")

    def _give_up(self, gap: OpenGap, reason: str) -> list[Tick | TapeEvent]:
        return [*self._tape.give_up(gap, reason, self._now_us())]

    def _put_off(self, gap: OpenGap, error: Exception) -> None:
        delay_s = self._delays[gap.symbol].next_s()
        if isinstance(error, VenueBusyError):
            self._venue_not_before = self._now_us() + round(error.retry_after_s * SECOND)
        self._not_before[gap.symbol] = self._now_us() + round(delay_s * SECOND)
        log.warning(
            "the repair of a gap is delayed",
            symbol=gap.symbol,
            first_id=gap.first_id,
            delay_s=round(delay_s, 1),
            reason=str(error),
        )
