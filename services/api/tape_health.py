"""Health of each symbol's tape: its last coverage, stale streams and open gaps. No I/O."""

from collections import defaultdict
from collections.abc import Iterable

from msgspec import Struct

from services.api.serialization.rows import Row, row
from services.common.errors import BadMessageError
from services.contracts.messages import TapeEvent

_REPLAYED = "a replay plays what its file has, and keeps no account of what the file lacks"
_UNTOLD = "ingest has not told it yet: it does once a minute while the symbol trades"
OPEN = ("found", "unrepaired")
"""The states of a gap whose trades are missing still."""


class OpenGap(Struct, frozen=True):
    """Open gap, as far as it is counted; ``updated_us`` is the time of its last event."""

    symbol: str
    first_id: int
    last_id: int
    updated_us: int
    missing: int


class TapeHealth:
    """Health of every tape, from events and store; of two statements on one thing the later counts."""

    def __init__(self) -> None:
        self._coverage: dict[str, TapeEvent] = {}
        self._streams: dict[str, dict[str, TapeEvent]] = defaultdict(dict)
        self._open: dict[str, dict[tuple[int, int], OpenGap]] = defaultdict(dict)
        # The store may not know yet that these are closed. Once it has been asked, they can be forgotten:
        # the topic brings the events of one gap in their order.
        self._closed: dict[tuple[str, int, int], int] | None = {}

    def put(self, event: TapeEvent) -> None:
        """Take an event from the topic; BadMessageError for a gap event without ids."""
        match event.kind:
            case "coverage":
                _keep(self._coverage, event.symbol, event)
            case "stream_stale" | "stream_live":
                _keep(self._streams[event.symbol], event.stream or "", event)
            case "symbol_state":
                # Its streams are as new, or are no longer expected.
                self._streams.pop(event.symbol, None)
            case "gap_found" | "gap_unrepaired" | "gap_refuted" | "gap_repaired":
                if event.first_id is None or event.last_id is None:
                    raise BadMessageError(f"expected first_id and last_id of a gap, received {event}")
                self._put_gap(event, event.first_id, event.last_id)

    def seed(self, gaps: Iterable[OpenGap]) -> None:
        """Take the open gaps of the store, except what a later event has closed."""
        closed, self._closed = self._closed or {}, None
        for gap in gaps:
            if closed.get((gap.symbol, gap.first_id, gap.last_id), -1) < gap.updated_us:
                self._open[gap.symbol].setdefault((gap.first_id, gap.last_id), gap)

    def coverage(self, symbol: str) -> Row:
        """Return the shares of ids on the tape, the time of that statement, and the ids still missing."""
        event, gaps = self._coverage.get(symbol), self._open.get(symbol, {})
        return row(
            [
                ("symbol", symbol),
                ("coverage_1h", None if event is None else event.coverage_1h),
                ("coverage_24h", None if event is None else event.coverage_24h),
                ("coverage_us", None if event is None else event.at_us),
                ("open_gaps", len(gaps)),
                ("missing", sum(gap.missing for gap in gaps.values())),
            ]
        )

    def state(self, symbol: str, since_us: int) -> Row:
        """Return the part of ``/v1/status`` on a tape; streams that were stale before `since_us` are left out."""
        event, streams = self._coverage.get(symbol), self._streams.get(symbol, {})
        return {
            "coverage_1h": None if event is None else event.coverage_1h,
            "coverage_24h": None if event is None else event.coverage_24h,
            "open_gaps": len(self._open.get(symbol, {})),
            "stale": sorted(
                name
                for name, last in streams.items()
                if last.kind == "stream_stale" and last.at_us >= since_us
            ),
        }

    def _put_gap(self, event: TapeEvent, first_id: int, last_id: int) -> None:
        gaps, key = self._open[event.symbol], (first_id, last_id)
        known = gaps.get(key)
        if known is not None and known.updated_us > event.at_us:
            return
        if event.kind in ("gap_refuted", "gap_repaired"):
            gaps.pop(key, None)
            if self._closed is not None:
                self._closed[event.symbol, first_id, last_id] = event.at_us
        else:
            missing = last_id - first_id + 1 if event.missing is None else event.missing
            gaps[key] = OpenGap(event.symbol, first_id, last_id, event.at_us, missing)


def coverage_reason(coverage: float | None, feed: str | None) -> str | None:
    """Return why there is no coverage, None if there is."""
    return None if coverage is not None else _REPLAYED if feed == "replay" else _UNTOLD


def _keep(events: dict[str, TapeEvent], name: str, event: TapeEvent) -> None:
    known = events.get(name)
    if known is None or known.at_us <= event.at_us:
        events[name] = event
