"""Gap ledger of one symbol: gaps found, then repaired, refuted, or left unrepaired with the reason."""

from bisect import bisect_left, insort
from dataclasses import dataclass
from operator import attrgetter
from typing import Literal

from services.contracts.messages import TapeEvent, TapeEventKind
from services.ingest.tape.chain import IdSpan

_FIRST = attrgetter("first_id")
_LAST = attrgetter("last_id")


@dataclass(slots=True, eq=False)
class OpenGap:
    """A run of ids, both ends inclusive, that a stream jumped over, between its neighbours' event times (us).

    It keeps its name, the two ids, while trades that come late or from REST fill it from any side.
    """

    symbol: str
    venue: str
    first_id: int
    last_id: int
    start_us: int
    end_us: int
    found_us: int
    missing: int
    """Ids that are missing still."""
    state: Literal["found", "unrepaired"] = "found"
    reason: str | None = None
    never_issued: int = 0
    """Ids that the venue turned out to have no trades for."""
    ask_from: int = 0
    """Lower ids are not worth asking for: the venue no longer has them."""

    def event(self, kind: TapeEventKind, at_us: int, reason: str | None) -> TapeEvent:
        """Return what has happened to this gap."""
        return TapeEvent(
            kind=kind,
            venue=self.venue,
            symbol=self.symbol,
            at_us=at_us,
            first_id=self.first_id,
            last_id=self.last_id,
            start_us=self.start_us,
            end_us=self.end_us,
            missing=self.missing,
            reason=reason,
        )


class GapLedger:
    """The open gaps of one symbol; one that lacks no id any more is closed, and gone from here."""

    __slots__ = ("gaps",)

    def __init__(self) -> None:
        self.gaps: list[OpenGap] = []
        """Ascending by id, which is by age, and disjoint."""

    def add(self, gap: OpenGap) -> None:
        """Enter a gap that has no id in common with the others."""
        insort(self.gaps, gap, key=_FIRST)

    def filled(self, trade_id: int, at_us: int) -> list[TapeEvent]:
        """Strike off a missing id that has been published."""
        gap = self._at(trade_id)
        gap.missing -= 1
        return [] if gap.missing else [self._close(gap, at_us)]

    def refuted(self, span: IdSpan, at_us: int) -> list[TapeEvent]:
        """Strike off missing ids of one gap that the venue has never issued.

        A part of a gap is said on its own, under its own ids: a restart must not take it for missing.
        """
        gap = self._at(span.first_id)
        gap.missing -= span.ids
        gap.never_issued += span.ids
        events = []
        if span.ids < gap.last_id - gap.first_id + 1:
            part = OpenGap(gap.symbol, gap.venue, *span, found_us=at_us, missing=0)
            events.append(part.event("gap_refuted", at_us, "the venue has no trades with these ids"))
        if not gap.missing:
            events.append(self._close(gap, at_us))
        return events

    def give_up(self, gap: OpenGap, reason: str, at_us: int) -> TapeEvent:
        """Stop asking for a gap; it stays here, because a late trade may fill it all the same."""
        gap.state, gap.reason = "unrepaired", reason
        return gap.event("gap_unrepaired", at_us, reason)

    def forget(self, gap: OpenGap) -> None:
        """Hold a gap no longer, whatever it lacks."""
        self.gaps.remove(gap)

    def oldest(self) -> OpenGap | None:
        """Return the oldest gap that is worth asking for."""
        return next((gap for gap in self.gaps if gap.state == "found"), None)

    def _at(self, trade_id: int) -> OpenGap:
        return self.gaps[bisect_left(self.gaps, trade_id, key=_LAST)]

    def _close(self, gap: OpenGap, at_us: int) -> TapeEvent:
        self.forget(gap)
        if gap.never_issued == gap.last_id - gap.first_id + 1:
            return gap.event("gap_refuted", at_us, "the venue has no trades with these ids")
        reason = f"{gap.never_issued} of its ids were never issued" if gap.never_issued else None
        return gap.event("gap_repaired", at_us, reason)
