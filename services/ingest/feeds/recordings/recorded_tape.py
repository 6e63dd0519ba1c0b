"""Tape of a recording: the trades it has had so far."""

from collections.abc import Sequence

from services.contracts.messages import Tick
from services.ingest.tape.chain import Chain, IdSpan, Taken

_BEFORE_FIRST = 10_000
_MOST_GAPS = 10_000


class RecordedTape:
    """Grows by its gaps only, up to 10,000 of a symbol; a trade older than those that are remembered is new again."""

    def __init__(self) -> None:
        self._current: dict[str, _Numbering] = {}
        self._ids = self._gaps = 0

    def is_new(self, tick: Tick) -> bool:
        """Return whether a trade has not come yet, as far as is remembered."""
        current = self._current.get(tick.symbol)
        if current is not None and (taken := current.chain.take(tick)) is not Taken.RENUMBERED:
            if len(current.chain.missing) > _MOST_GAPS:
                self._count(current.forget(_MOST_GAPS // 2))
            return taken is not Taken.DUPLICATE or tick.trade_id <= current.forgotten_id
        if current is not None:
            self._count(current.forget(len(current.chain.missing)))
        self._current[tick.symbol] = _Numbering(tick)
        return True

    def missing(self) -> tuple[int, int]:
        """Return how many ids are missing between those there are, and in how many gaps; ends the tape."""
        for current in self._current.values():
            self._count(current.forget(len(current.chain.missing)))
        return self._ids, self._gaps

    def _count(self, spans: Sequence[IdSpan]) -> None:
        self._ids += sum(span.ids for span in spans)
        self._gaps += len(spans)


class _Numbering:
    """The trades of a symbol, until the venue numbers them anew."""

    def __init__(self, tick: Tick) -> None:
        # The first to arrive need not be the first trade.
        self._first_id = max(0, tick.trade_id - _BEFORE_FIRST)
        self.chain = Chain(self._first_id, tick.event_us)
        self.chain.take(tick)
        self.forgotten_id = -1
        """Up to here it is not known any more what has come."""

    def forget(self, count: int) -> Sequence[IdSpan]:
        """Remember the first `count` gaps no longer, and return them."""
        spans = self.chain.missing[:count]
        del self.chain.missing[:count]
        self.forgotten_id = max([self.forgotten_id, *(span.last_id for span in spans)])
        return [span for span in spans if span.first_id > self._first_id]
