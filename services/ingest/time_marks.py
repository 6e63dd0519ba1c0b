"""Time marks of quiet symbols: how far their tape is known, judged by other symbols and by the venue."""

from collections.abc import Sequence

from msgspec import structs

from services.common.clock import SECOND
from services.contracts.messages import TapeEvent, Tick, TimeMark

AWAITED_US = 30 * SECOND
# Trades of different symbols that happened at one moment are published within so long of each other.
_APART_US = 3 * SECOND
# A message delivered within this lag proves that its connection is healthy.
_PROMPT_US = 2 * SECOND
# Largest time by which a mark price may overtake trades of its own connection.
_OVERTAKES_US = SECOND
# Trades needed to know how long a symbol is usually silent.
_LEAST_TRADES = 10
# Decay of the longest silence with each trade.
_KEPT = 0.999
_DOUBTS = ("gap_found", "stream_stale", "reconnect", "dropped")


class _Symbol:
    """State of one symbol; the ends of marks sent since its last trade are for the next trade to carry."""

    __slots__ = (
        "ends_us",
        "is_doubted",
        "is_prompt",
        "known_us",
        "longest_us",
        "newest_us",
        "trade_id",
        "trades",
        "vouched_us",
    )

    def __init__(self) -> None:
        self.trade_id = 0
        self.trades = 0
        self.newest_us = -1
        self.known_us = -1
        self.vouched_us = -1
        self.longest_us = 0.0
        self.is_prompt = False
        self.is_doubted = False
        self.ends_us: list[int] = []

    def is_quiet_until(self, until_us: int) -> bool:
        """Tell whether the silence is the market's: the last trade came promptly, and silences as long are known."""
        return (
            self.is_prompt
            and self.trades >= _LEAST_TRADES
            and until_us - self.newest_us <= self.longest_us
            and not self.is_doubted
        )

    def mark(self, symbol: str, until_us: int, is_doubtful: bool) -> TimeMark:
        """Return a mark, and keep its end for the next trade: certain and doubtful ones by turns, certain first."""
        ends_us = self.ends_us or [self.known_us]
        if is_doubtful == (len(ends_us) % 2 == 0):
            ends_us[-1] = until_us
        else:
            ends_us.append(until_us)
        self.ends_us, self.known_us = ends_us, until_us
        return TimeMark(symbol=symbol, event_us=until_us, trade_id=self.trade_id, is_doubtful=is_doubtful)


class TimeMarks:
    """Follow what is published, in its order; so the same recording gives the same marks at any speed.

    A mark is certain by evidence alone; without any the second waits for `awaited_us` of event time, and then the mark
    is doubtful. A stream in doubt has no evidence until its next trade. What was repaired says nothing of the present.
    """

    def __init__(self, awaited_us: int = AWAITED_US, in_order: bool = False) -> None:
        """With `in_order` trades come in the order of their event time, whatever their symbol: silence is proof."""
        self._awaited_us = awaited_us
        self._in_order = in_order
        self._next_second_us = SECOND
        self._newest_us = 0
        self._symbols: dict[str, _Symbol] = {}

    def trade(self, tick: Tick, lag_us: int) -> tuple[Tick, Sequence[TimeMark]]:
        """Take a trade and how late it was delivered; return it as it is to be published, and the marks that follow it.

        There is at most one certain and one doubtful mark for each symbol and second.
        """
        event_us = tick.event_us
        one = self._symbols.get(tick.symbol)
        if one is None:
            one = self._symbols[tick.symbol] = _Symbol()
        one.trade_id = tick.trade_id
        if one.ends_us or tick.marks:
            tick = structs.replace(tick, marks=tuple(one.ends_us))
            one.ends_us = []
        if tick.repaired:
            return tick, ()
        one.is_prompt = lag_us <= _PROMPT_US
        newest_us = one.newest_us
        if event_us > newest_us:
            one.newest_us = event_us
            one.longest_us *= _KEPT
            if event_us - newest_us > one.longest_us and one.trades and not one.is_doubted:
                one.longest_us = event_us - newest_us
            if event_us > one.known_us:
                one.known_us = event_us
        one.trades += 1
        one.is_doubted = False
        if event_us < self._next_second_us:
            return tick, ()
        second_us = event_us // SECOND * SECOND
        self._newest_us, self._next_second_us = event_us, second_us + SECOND
        return tick, self._marks(second_us - _APART_US)

    def vouch(self, symbol: str, event_us: int, lag_us: int) -> None:
        """Take a message that shares the connection of the symbol's trades: what happened well before it is here."""
        one = self._symbols.get(symbol)
        if one is not None and lag_us <= _PROMPT_US and not one.is_doubted:
            one.vouched_us = (event_us - _OVERTAKES_US) // SECOND * SECOND

    def event(self, event: TapeEvent) -> None:
        """Take what happened to a tape; one that is collected no longer is quiet for another reason."""
        if event.kind == "symbol_state" and event.state == "removed":
            self._symbols.pop(event.symbol, None)
        if event.kind in _DOUBTS and (one := self._symbols.get(event.symbol)) is not None:
            one.is_doubted = True
            one.vouched_us = -1

    def end(self) -> Sequence[TimeMark]:
        """Return the marks that end every tape: nothing comes any more, so the last second is over."""
        traded = {symbol: one for symbol, one in self._symbols.items() if one.trades}
        until_us = max((one.known_us for one in traded.values()), default=0) // SECOND * SECOND + SECOND
        return [one.mark(symbol, until_us, one.is_doubted) for symbol, one in traded.items()]

    def _marks(self, until_us: int) -> Sequence[TimeMark]:
        marks = []
        for symbol, one in self._symbols.items():
            if one.known_us >= until_us or not one.trades:
                continue
            if one.is_quiet_until(until_us) or (self._in_order and not one.is_doubted):
                certain_us = until_us
            else:
                certain_us = min(until_us, one.vouched_us)
            if certain_us > one.known_us:
                marks.append(one.mark(symbol, certain_us, False))
            evident_us = max(one.newest_us, one.vouched_us)
            if until_us > one.known_us and self._newest_us - evident_us >= self._awaited_us:
                marks.append(one.mark(symbol, until_us, True))
        return marks
