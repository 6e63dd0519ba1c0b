"""Account of the trade ids of a synthetic tape: what a stop has left out, and the share of ids that are there.

The market itself loses nothing. What is missing is what traded between the last run and the history that is played at
the start of this one: a gap that nothing repairs.
"""

from collections.abc import Iterable, Iterator, Mapping

from services.common.clock import MINUTE
from services.contracts.messages import TapeEvent
from services.ingest.tape.chain import IdSpan
from services.ingest.tape.coverage import DAY_MINUTES, HOUR_MINUTES, Coverage
from services.ingest.tape.ledger import OpenGap
from services.ingest.tape.stored import Shelf

NOT_PLAYED = "not played again: older than the history of the start, PAIRSTREAM_HISTORY_S"


class Account:
    """Ids of every symbol. A symbol that lacks none is not counted: its coverage is whole."""

    def __init__(self, venue: str) -> None:
        self._venue = venue
        self._torn: dict[str, tuple[Coverage, list[IdSpan]]] = {}

    def resume(self, symbol: str, shelf: Shelf, start_us: int) -> None:
        """Take what is stored of a symbol that lacks trades; from the minute of `start_us` on they are played."""
        coverage = Coverage()
        for span in shelf.have:
            if span.start_us < start_us - start_us % MINUTE:
                coverage.count(span.start_us, span.ids)
        self._torn[symbol] = (
            coverage,
            [
                IdSpan(gap.first_id, gap.last_id, gap.start_us, gap.end_us)
                for gap in shelf.gaps
                if gap.missing
            ],
        )

    def leave_out(self, symbol: str, missing: IdSpan, at_us: int) -> list[TapeEvent]:
        """Return what is to be said of trades that nobody will play."""
        _, spans = self._torn.setdefault(symbol, (Coverage(), []))
        if any(span[:2] == missing[:2] for span in spans):
            return []
        spans.append(missing)
        gap = OpenGap(symbol, self._venue, *missing, found_us=at_us, missing=missing.ids)
        # The later one of two statements on a gap counts.
        return [gap.event("gap_found", at_us, None), gap.event("gap_unrepaired", at_us + 1, NOT_PLAYED)]

    def played(self, index: int, per_minute: Mapping[str, int]) -> None:
        """Count the trades of the minute `index` since the epoch."""
        for symbol, (coverage, _) in self._torn.items():
            coverage.count(index * MINUTE, per_minute[symbol])
            coverage.forget(index * MINUTE)

    def events(self, symbols: Iterable[str], tape_us: int, at_us: int) -> Iterator[TapeEvent]:
        """Yield the coverage of each symbol at the time `tape_us` of its tape."""
        for symbol in symbols:
            hour, day, missing = 1.0, 1.0, 0
            if (torn := self._torn.get(symbol)) is not None:
                coverage, spans = torn
                hour, day = (
                    _share(coverage, spans, tape_us, minutes) for minutes in (HOUR_MINUTES, DAY_MINUTES)
                )
                missing = sum(span.ids for span in spans)
            yield TapeEvent(
                kind="coverage",
                venue=self._venue,
                symbol=symbol,
                at_us=at_us,
                missing=missing,
                coverage_1h=hour,
                coverage_24h=day,
            )


def _share(coverage: Coverage, missing: Iterable[IdSpan], tape_us: int, minutes: int) -> float:
    share = coverage.share(missing, tape_us, minutes)
    return 1.0 if share is None else share
