"""Coverage: the share of a symbol's trades that are on the tape, from counts per minute of event time."""

from collections.abc import Iterable

from services.common.clock import MINUTE
from services.ingest.tape.chain import IdSpan

HOUR_MINUTES = 60
DAY_MINUTES = 1440


class Coverage:
    """Counts per minute of ids that were seen, and of ids that were given up for good.

    What is missing still is not counted here but asked of the chain, so that the share is exact at any time.
    """

    __slots__ = ("_written_off", "seen")

    def __init__(self) -> None:
        self.seen: dict[int, int] = {}
        """By minutes since the epoch. The tape counts here itself: a call for each trade would cost more."""
        self._written_off: dict[int, int] = {}

    def count(self, event_us: int, ids: int = 1) -> None:
        """Add trades that were seen in one minute."""
        minute = event_us // MINUTE
        self.seen[minute] = self.seen.get(minute, 0) + ids

    def write_off(self, span: IdSpan) -> None:
        """Keep counting the ids of a span as missing after the chain has dropped them."""
        last = max(span.start_us, span.end_us) // MINUTE
        for minute in range(max(min(span.start_us, span.end_us) // MINUTE, last - DAY_MINUTES), last + 1):
            if ids := span.since(minute * MINUTE) - span.since((minute + 1) * MINUTE):
                self._written_off[minute] = self._written_off.get(minute, 0) + ids

    def share(self, missing: Iterable[IdSpan], at_us: int, minutes: int) -> float | None:
        """Return seen / (seen + missing) over the last `minutes`, the one of `at_us` included; None without any."""
        first = at_us // MINUTE - minutes + 1
        seen = _since(self.seen, first)
        lacking = _since(self._written_off, first) + sum(span.since(first * MINUTE) for span in missing)
        return seen / (seen + lacking) if seen or lacking else None

    def forget(self, at_us: int) -> None:
        """Drop the minutes that are further than a day from `at_us`, so that memory stays bounded."""
        now = at_us // MINUTE
        for counts in (self.seen, self._written_off):
            for minute in [minute for minute in counts if abs(now - minute) > DAY_MINUTES]:
                del counts[minute]


def _since(counts: dict[int, int], first: int) -> int:
    return sum(ids for minute, ids in counts.items() if minute >= first)
