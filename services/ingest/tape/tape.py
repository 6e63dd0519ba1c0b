"""Tape: passes each trade on once, and knows every missing one. No I/O, no clock of its own."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from services.common.clock import HOUR, MINUTE
from services.contracts.messages import TapeEvent, Tick
from services.ingest.tape.chain import Chain, IdSpan, Taken
from services.ingest.tape.coverage import DAY_MINUTES, HOUR_MINUTES
from services.ingest.tape.ledger import OpenGap
from services.ingest.tape.symbol_ids import SymbolIds

# Per symbol; about 2 MB. Gaps of one trade each that REST does not repair for hours come to that.
MAX_SPANS = 10_000
_DAY = 24 * HOUR


class Tape:
    """The trades of all symbols. `take` is what the stream brings, `repair` what REST brings.

    A symbol's tape starts with its first trade, unless `resume` or `expect` is called before it. Memory is
    bounded: per symbol the counts of a day, and `MAX_SPANS` runs of missing ids. When there are more, the oldest
    gap is given up, said to be unrepaired, and counted as missing still, but a trade of it that comes even so is
    taken for a duplicate.
    """

    def __init__(self, venues: Mapping[str, str]) -> None:
        """`venues` names the venue of each symbol; their tapes are unknown before the first trade."""
        self.counts = {"gaps": 0, "repaired": 0, "refuted": 0, "unrepaired": 0, "late": 0, "duplicates": 0}
        """Since the start: gaps found, and given up; ids repaired, refuted, late on the stream, seen twice."""
        self._venues = dict(venues)
        self._symbols: dict[str, SymbolIds] = {}

    def know(self, symbol: str, venue: str) -> None:
        """Add a collected symbol: its coverage is published from now on."""
        self._venues[symbol] = venue

    def leave(self, symbol: str, at_us: int) -> list[TapeEvent]:
        """Forget a symbol that is no longer collected; return the ends of its gaps, which are no longer repaired."""
        self._venues.pop(symbol, None)
        if (ids := self._symbols.pop(symbol, None)) is None:
            return []
        reason = "the symbol is not collected any more"
        return [ids.ledger.give_up(gap, reason, at_us) for gap in [*ids.ledger.gaps] if gap.state == "found"]

    def take(self, tick: Tick) -> list[Tick | TapeEvent]:
        """Return what to publish because of a trade on the stream: nothing if it has been seen."""
        ids = self._symbols.get(tick.symbol)
        if ids is None:
            self._venues.setdefault(tick.symbol, tick.venue)
            ids = self._open(tick.symbol, tick.trade_id, tick.event_us)
        chain = ids.chain
        # The usual case, with nothing called: this runs for every trade there is.
        if tick.trade_id == chain.next_id:
            chain.next_id += 1
            chain.last_us = event_us = tick.event_us
            seen, minute = ids.coverage.seen, event_us // MINUTE
            seen[minute] = seen.get(minute, 0) + 1
            return [tick]
        return self._take_irregular(ids, tick)

    def reached(self, symbol: str) -> tuple[int, int] | None:
        """Return the id that is expected next and the last trade's time, None if the tape has not started."""
        ids = self._symbols.get(symbol)
        return None if ids is None else (ids.chain.next_id, ids.chain.last_us)

    def resume(
        self,
        symbol: str,
        have: Iterable[IdSpan],
        gaps: Iterable[OpenGap] = (),
        never_issued: Iterable[tuple[int, int]] = (),
        *,
        at_us: int,
    ) -> list[TapeEvent]:
        """Start the tape of a symbol with what is stored: spans of ids, each of one minute, and the open gaps.

        What is missing between them and in no gap is a gap found now; `never_issued` are ids, first and last,
        that the venue has no trades for. Nothing happens if there is neither a span nor a gap.
        """
        spans, known = sorted(have), sorted(gaps, key=lambda gap: (gap.first_id, -gap.last_id))
        starts = [(span.first_id, span.start_us) for span in spans[:1]]
        starts += [(gap.first_id, gap.start_us) for gap in known[:1]]
        if not starts:
            return []
        ids = self._open(symbol, *min(starts))
        chain = ids.chain
        for span in spans:
            ids.coverage.count(span.start_us, span.ids)
            _jump(chain, span.first_id, span.start_us)
            chain.next_id, chain.last_us = max(chain.next_id, span.last_id + 1), span.end_us
        for gap in known:
            _jump(chain, gap.last_id + 1, gap.end_us)
        for first_id, last_id in never_issued:
            chain.discard(first_id, last_id)
        return self._adopt(ids, known, at_us)

    def settle(self, gaps: Iterable[OpenGap], at_us: int) -> list[TapeEvent]:
        """Return the end of stored gaps that lack nothing: their finder told of them so late that `resume` did not."""
        events = []
        for gap in gaps:
            ids = self._symbols.get(gap.symbol)
            if gap.state != "found" or ids is None or gap.last_id >= ids.chain.next_id:
                continue
            if ids.chain.first_missing(gap.first_id, gap.last_id) is None:
                gap.missing = 0
                events.append(gap.event("gap_repaired", at_us, "filled before it was known to be open"))
        return events

    def oldest_gaps(self) -> list[OpenGap]:
        """Return the oldest gap of each symbol that is worth asking for, oldest first."""
        gaps = (ids.ledger.oldest() for ids in self._symbols.values())
        return sorted((gap for gap in gaps if gap), key=lambda gap: gap.start_us)

    def first_missing(self, gap: OpenGap) -> int | None:
        """Return the lowest id of a gap that is worth asking for, None if there is none any more."""
        if (ids := self._symbols.get(gap.symbol)) is None:
            return None
        return ids.chain.first_missing(max(gap.first_id, gap.ask_from), gap.last_id)

    def repair(self, gap: OpenGap, first_id: int, page: Sequence[Tick], at_us: int) -> list[Tick | TapeEvent]:
        """Return what to publish because of a page of REST that was asked for from `first_id` on.

        Every missing trade in it goes through, ascending by id and flagged, be it of this gap or another; the
        rest is ignored, whatever it is. Ids that two pages in a row should begin with, and both do not, though they
        have later trades, have never been issued. A gap further on in a page proves nothing.
        """
        if (ids := self._symbols.get(gap.symbol)) is None:
            return []
        chain, items = ids.chain, list[Tick | TapeEvent]()
        trades = {tick.trade_id: tick for tick in page if tick.symbol == gap.symbol}
        for trade_id, tick in sorted(trades.items()):
            if chain.fill(trade_id, tick.event_us):
                self.counts["repaired"] += 1
                ids.coverage.count(tick.event_us)
                items.append(msgspec.structs.replace(tick, repaired=True))
                items += ids.ledger.filled(trade_id, at_us)
        lowest = min((trade_id for trade_id in trades if trade_id >= first_id), default=first_id)
        denied = (first_id, lowest - 1)
        for span in chain.discard(max(denied[0], ids.denied[0]), min(denied[1], ids.denied[1])):
            self.counts["refuted"] += span.ids
            items += ids.ledger.refuted(span, at_us)
        ids.denied = denied
        return items + self._keep_bound(ids, at_us)

    def skip(self, gap: OpenGap, first_id: int, reason: str) -> None:
        """Ask for a gap from `first_id` on only; when that is done it is given up with the reason."""
        gap.ask_from, gap.reason = first_id, reason

    def give_up(self, gap: OpenGap, reason: str, at_us: int) -> list[TapeEvent]:
        """Ask for a gap no more; return what to publish, nothing if it has been closed meanwhile."""
        ids = self._symbols.get(gap.symbol)
        if ids is None or gap not in ids.ledger.gaps or gap.state == "unrepaired":
            return []
        self.counts["unrepaired"] += 1
        return [ids.ledger.give_up(gap, reason, at_us)]

    def coverage_events(self, at_us: int, symbols: Iterable[str] | None = None) -> list[TapeEvent]:
        """Return the coverage of each symbol, None while there is nothing to tell it from.

        To be called every few seconds for all: it also forgets what is too old to matter.
        """
        events = []
        for symbol in self._venues if symbols is None else symbols:
            hour = day = missing = None
            if ids := self._symbols.get(symbol):
                self._forget(ids, at_us)
                spans = ids.chain.missing
                missing = sum(span.ids for span in spans)
                hour = ids.coverage.share(spans, at_us, HOUR_MINUTES)
                day = ids.coverage.share(spans, at_us, DAY_MINUTES)
            events.append(
                TapeEvent(
                    kind="coverage",
                    venue=self._venues[symbol],
                    symbol=symbol,
                    at_us=at_us,
                    missing=missing,
                    coverage_1h=hour,
                    coverage_24h=day,
                )
            )
        return events

    def _open(self, symbol: str, next_id: int, last_us: int) -> SymbolIds:
        assert symbol not in self._symbols, f"the tape of {symbol} has started"
        ids = self._symbols[symbol] = SymbolIds(symbol, self._venues[symbol])
        ids.start(next_id, last_us)
        return ids

    def _take_irregular(self, ids: SymbolIds, tick: Tick) -> list[Tick | TapeEvent]:
        previous = ids.previous
        if previous is not None and previous.is_near(tick) and not ids.chain.is_near(tick):
            is_late = tick.event_us <= previous.last_us
            taken = Taken.DUPLICATE if is_late else Taken.RENUMBERED
        else:
            taken = ids.chain.take(tick)
        if taken is Taken.RENUMBERED:
            return [*self._renumber(ids, tick), *self.take(tick)]
        if taken is Taken.DUPLICATE:
            self.counts["duplicates"] += 1
            return []
        ids.coverage.count(tick.event_us)
        items: list[Tick | TapeEvent] = [tick]
        if taken is Taken.AHEAD:
            self.counts["gaps"] += 1
            gap = ids.gap(ids.chain.missing[-1], tick.received_us)
            reason = f"expected trade {gap.first_id}, received {tick.trade_id}"
            items.insert(0, gap.event("gap_found", tick.received_us, reason))
        elif taken is Taken.LATE:
            self.counts["late"] += 1
            items += ids.ledger.filled(tick.trade_id, tick.received_us)
        return items + self._keep_bound(ids, tick.received_us)

    def _renumber(self, ids: SymbolIds, tick: Tick) -> list[TapeEvent]:
        """Go on with the numbering that the trade is of, and say that the old one has ended.

        How many trades there were in between cannot be known; the one that was expected stands for them.
        """
        at_us, left = tick.received_us, ids.chain
        reason = f"expected trade {left.next_id} or one near it, received {tick.trade_id}: a new numbering"
        end = OpenGap(
            ids.symbol, ids.venue, left.next_id, left.next_id, left.last_us, tick.event_us, at_us, missing=1
        )
        events = [
            event for gap in list(ids.ledger.gaps) for event in self._write_off(ids, gap, reason, at_us)
        ]
        events.append(ids.ledger.give_up(end, reason, at_us))
        back, ids.previous = ids.previous, left
        ids.start(tick.trade_id, tick.event_us)
        if back is not None and back.is_near(tick):
            ids.chain = back
            end.first_id = end.last_id = back.next_id
            end.missing = 0
            events.append(end.event("gap_refuted", at_us, "the numbering goes on"))
        return events

    def _adopt(self, ids: SymbolIds, gaps: Iterable[OpenGap], at_us: int) -> list[TapeEvent]:
        """Give each missing id to the gap it belongs to, and what is left to new ones."""
        chain, events, owned = ids.chain, list[TapeEvent](), list[IdSpan]()
        last_id = -1
        for gap in gaps:
            if gap.first_id <= last_id:
                gap.missing = 0
                events.append(gap.event("gap_repaired", at_us, "its ids are counted in another gap"))
                continue
            inside = chain.discard(gap.first_id, gap.last_id)
            gap.missing = sum(span.ids for span in inside)
            if not gap.missing:
                events.append(gap.event("gap_repaired", at_us, None))
                continue
            last_id = gap.last_id
            ids.ledger.add(gap)
            owned += inside
        for span in chain.missing:
            self.counts["gaps"] += 1
            events.append(ids.gap(span, at_us).event("gap_found", at_us, "not in the store at the start"))
        chain.missing = sorted((*chain.missing, *owned))
        return events + self._keep_bound(ids, at_us)

    def _keep_bound(self, ids: SymbolIds, at_us: int) -> list[TapeEvent]:
        events: list[TapeEvent] = []
        while len(ids.chain.missing) > MAX_SPANS:
            reason = f"the ledger holds {MAX_SPANS} runs of missing trades and no more"
            events += self._write_off(ids, ids.ledger.gaps[0], reason, at_us)
        return events

    def _write_off(self, ids: SymbolIds, gap: OpenGap, reason: str, at_us: int) -> list[TapeEvent]:
        events = self.give_up(gap, reason, at_us)
        for span in ids.chain.discard(gap.first_id, gap.last_id):
            ids.coverage.write_off(span)
        ids.ledger.forget(gap)
        return events

    def _forget(self, ids: SymbolIds, at_us: int) -> None:
        ids.coverage.forget(at_us)
        for gap in [gap for gap in ids.ledger.gaps if gap.state == "unrepaired"]:
            if max(gap.start_us, gap.end_us) < at_us - _DAY:
                ids.chain.discard(gap.first_id, gap.last_id)
                ids.ledger.forget(gap)


def _jump(chain: Chain, next_id: int, event_us: int) -> None:
    if next_id > chain.next_id:
        chain.missing.append(IdSpan(chain.next_id, next_id - 1, chain.last_us, event_us))
        chain.next_id, chain.last_us = next_id, event_us
