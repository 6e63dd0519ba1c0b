"""Checker of a soak run: the topics hold exactly what the venue traded, and the ledger explains every gap."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from msgspec import structs

from services.contracts.messages import Heartbeat, TapeEvent, Tick
from tests.fake_venue.market import Market

_OPEN = ("gap_found", "gap_unrepaired")
_SHOWN = 5


class Gap(NamedTuple):
    """The name of a gap in the ledger; both ids belong to it."""

    symbol: str
    first_id: int
    last_id: int


class Seen:
    """How often each id of one symbol came, and which of them flagged."""

    def __init__(self, first_id: int) -> None:
        self._first_id = first_id
        self._times = bytearray()
        self.repaired: set[int] = set()
        self.strange: list[Tick] = []

    def add(self, tick: Tick) -> None:
        """Count a tick."""
        place = tick.trade_id - self._first_id
        if place >= len(self._times):
            self._times.extend(bytes(place + 10_000 - len(self._times)))
        self._times[place] = min(255, self._times[place] + 1)
        if tick.repaired:
            self.repaired.add(tick.trade_id)

    def missing(self, ids: Iterable[int]) -> list[int]:
        """Return those of `ids` that never came."""
        return [trade_id for trade_id in ids if not self.times(trade_id)]

    def times(self, trade_id: int) -> int:
        """Return how often an id came."""
        place = trade_id - self._first_id
        return self._times[place] if 0 <= place < len(self._times) else 0

    @property
    def count(self) -> int:
        """How many different ids came."""
        return len(self._times) - self._times.count(0)

    def repeats(self) -> int:
        """Return how many ticks came more than once, copies alone."""
        return sum(times - 1 for times in self._times if times > 1)


class Checker:
    """Knows the market, and is shown every message."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.seen = {symbol: Seen(market.first_id) for symbol in market.rates}
        self.gaps: dict[Gap, list[TapeEvent]] = {}
        self.kinds: Counter[str] = Counter()
        self.coverage: dict[str, TapeEvent] = {}
        self.heartbeat: Heartbeat | None = None
        self.ticks = self.dead_letters = 0

    @property
    def count(self) -> int:
        """How many different trades came."""
        return sum(seen.count for seen in self.seen.values())

    @property
    def repeats(self) -> int:
        """How many ticks were copies."""
        return sum(seen.repeats() for seen in self.seen.values())

    def tick(self, tick: Tick) -> None:
        """Compare a tick with the trade it should be."""
        self.ticks += 1
        seen = self.seen[tick.symbol]
        if tick.trade_id < self.market.first_id:
            seen.strange.append(tick)
            return
        expected = self.market.trade(tick.symbol, tick.trade_id).tick()
        if structs.replace(tick, received_us=0, repaired=False) != expected:
            seen.strange.append(tick)
        seen.add(tick)

    def event(self, event: TapeEvent) -> None:
        """Enter an event in the ledger."""
        self.kinds[event.kind] += 1
        if event.kind == "coverage":
            self.coverage[event.symbol] = event
        if event.kind.startswith("gap_"):
            assert event.first_id is not None
            assert event.last_id is not None
            self.gaps.setdefault(Gap(event.symbol, event.first_id, event.last_id), []).append(event)

    def open_gaps(self, up_to: Mapping[str, int] | None = None) -> list[TapeEvent]:
        """Return the latest word on each gap that is not closed, of those that begin at or before `up_to`."""
        latest = [max(events, key=lambda event: event.at_us) for events in self.gaps.values()]
        return [
            event
            for event in latest
            if event.kind in _OPEN and (not up_to or (event.first_id or 0) <= up_to[event.symbol])
        ]

    def uncovered(self) -> dict[str, float | None]:
        """Return the share that was told last for each symbol of whose trades not all are there."""
        latest = {symbol: self.coverage.get(symbol) for symbol in self.seen}
        return {
            symbol: event.coverage_24h if event else None
            for symbol, event in latest.items()
            if event is None or event.missing != 0 or event.coverage_24h != 1
        }

    def lacks(self, up_to: Mapping[str, int], holes: Mapping[str, Sequence[range]]) -> dict[str, list[int]]:
        """Return the ids of each symbol, up to one, that the venue has issued and the topic does not have."""
        return {
            symbol: seen.missing(
                trade_id
                for trade_id in range(self.market.first_id, up_to[symbol] + 1)
                if not any(trade_id in hole for hole in holes.get(symbol, ()))
            )
            for symbol, seen in self.seen.items()
        }

    def complaints(
        self,
        up_to: Mapping[str, int],
        holes: Mapping[str, Sequence[range]],
        lost: Mapping[str, Sequence[int]],
        starts: Sequence[range],
    ) -> list[str]:
        """Return everything that is not as it must be.

        `holes` are ids that were never issued, `lost` those that no stream brought whole. While ingest
        was not live yet (`starts`, event times in ms) history may have brought what the stream missed.
        """
        said = []
        for symbol, ids in self.lacks(up_to, holes).items():
            if ids:
                said.append(f"{symbol}: {len(ids)} trades are missing: {_some(ids)}")
        for symbol, seen in self.seen.items():
            if seen.strange:
                said.append(f"{symbol}: {len(seen.strange)} ticks are not the venue's: {_some(seen.strange)}")
            if invented := [one for hole in holes.get(symbol, ()) for one in hole if seen.times(one)]:
                said.append(f"{symbol}: {len(invented)} ticks the venue never issued: {_some(invented)}")
            found, refuted = self._ids(symbol, "gap_found"), self._ids(symbol, "gap_refuted")
            if unexplained := seen.repaired - found:
                said.append(
                    f"{symbol}: {len(unexplained)} repaired outside a gap: {_some(sorted(unexplained))}"
                )
            if wrong := [one for one in refuted if seen.times(one)]:
                said.append(f"{symbol}: {len(wrong)} refuted ids came: {_some(wrong)}")
            # A jump shows with the trade after it.
            jumps = (hole for hole in holes.get(symbol, ()) if hole.stop <= up_to[symbol])
            missed = [*lost.get(symbol, ()), *(one for jump in jumps for one in jump)]
            silent = [
                one
                for one in missed
                if one <= up_to[symbol]
                and one not in found
                and not any(self.market.time_ms(symbol, one) in start for start in starts)
            ]
            if silent:
                said.append(
                    f"{symbol}: {len(silent)} ids were missed without a gap in the ledger: {_some(silent)}"
                )
        if uncovered := self.uncovered():
            said.append(f"coverage is not complete: {uncovered}")
        if still_open := self.open_gaps(up_to):
            said.append(f"{len(still_open)} gaps are still open: {_some(still_open)}")
        return said

    def _ids(self, symbol: str, kind: str) -> set[int]:
        return {
            one
            for gap, events in self.gaps.items()
            if gap.symbol == symbol and any(event.kind == kind for event in events)
            for one in range(gap.first_id, gap.last_id + 1)
        }


def _some(things: Sequence[object]) -> str:
    shown = ", ".join(map(str, things[:_SHOWN]))
    return f"{shown}, ..." if len(things) > _SHOWN else shown
