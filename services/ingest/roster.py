"""Roster of a feed: which of its listed symbols are collected, and in which state each of them is. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import structs

from services.contracts.listings import ENDED, TRADING, Listing, SymbolConfig, SymbolState
from services.contracts.messages import TapeEvent
from services.contracts.selection import resolve

_UNLISTED = "the venue does not list it"


class Roster:
    """Symbols that the settings select, with what users have decided, and as the venues list them.

    A symbol is subscribed while it trades; one that is halted stays so and waits, one that has ended is left, and one
    that does not trade yet is subscribed when it does.
    """

    def __init__(self, items: Sequence[str]) -> None:
        """`items` are the selection of the settings."""
        self._items = items
        self._decisions: Mapping[str, SymbolConfig] = {}
        self._listed: dict[str, Listing] = {}
        self._volumes: dict[str, float] = {}
        self._before: frozenset[str] = frozenset()
        self._chosen: Mapping[str, None] = dict.fromkeys(items)
        self._reasons: dict[str, str | None] = {}
        self._answered: set[str] = set()
        self._told: dict[str, Listing] = {}
        self._changed: dict[str, None] = {}
        self._states: dict[str, SymbolState | None] = {}
        self.subscribed: dict[str, SymbolState] = {}
        """The symbols whose trades are read, each ``filling`` or ``live``."""

    def decide(self, decisions: Mapping[str, SymbolConfig]) -> None:
        """Go by these decisions of users."""
        self._decisions = decisions
        self._choose()

    def remember(self, told: Mapping[str, Listing]) -> None:
        """Take what was told before the start: a top list goes on from the symbols that were collected."""
        self._before |= {symbol for symbol, listing in told.items() if listing.state in ("filling", "live")}
        self._listed = {**told, **self._listed}
        self._choose()

    def list(
        self, venue: str, listings: Iterable[Listing], volumes: Mapping[str, float] | None = None
    ) -> None:
        """Take all that a venue lists, and the volumes of 24 h in quote currency if it takes these.

        What it has listed before and does not now is delisted.
        """
        self._answered.add(venue)
        listed = {listing.symbol: listing for listing in listings}
        for symbol, known in self._listed.items():
            if known.venue == venue and known.status not in ENDED:
                listed.setdefault(symbol, structs.replace(known, status="delisted", venue_status=None))
        self._listed |= listed
        self._volumes |= volumes or {}
        self._choose()

    def is_removed(self, symbol: str) -> bool:
        """Tell whether a user has removed a symbol, whatever the settings say."""
        return symbol in self._decisions and not self._decisions[symbol].collected

    def wanted(self) -> Sequence[str]:
        """Return the symbols to subscribe: chosen ones that trade, and those that do not for now but did."""
        return [symbol for symbol in self._chosen if self._is_followed(symbol)]

    def halted(self) -> Sequence[str]:
        """Return the subscribed symbols that do not trade for now."""
        return [symbol for symbol in self.subscribed if self._listed[symbol].status != TRADING]

    def follow(self, symbol: str, state: SymbolState, reason: str | None = None) -> None:
        """Note that a symbol is subscribed, and how far it is."""
        self.subscribed[symbol] = state
        self._reasons[symbol] = reason
        self._changed[symbol] = None

    def leave(self, symbol: str) -> None:
        """Note that a symbol is subscribed no longer."""
        self.subscribed.pop(symbol, None)
        self._reasons.pop(symbol, None)
        self._changed[symbol] = None

    def listings(self) -> Sequence[Listing]:
        """Return everything there is, with the states of now."""
        return [*map(self._now, self._listed.values())]

    def news(self, at_us: int) -> Iterator[Listing | TapeEvent]:
        """Yield what has changed since the last call: the listing, and a tape event if its state is another."""
        changed, self._changed = self._changed, {}
        for symbol in changed:
            listing = self._listed[symbol]
            if listing.venue not in self._answered:
                continue
            now = self._now(listing)
            if now != self._told.get(symbol):
                self._told[symbol] = now
                yield now
            if now.state != self._states.get(symbol):
                self._states[symbol] = now.state
                yield TapeEvent(
                    kind="symbol_state",
                    venue=now.venue,
                    symbol=symbol,
                    at_us=at_us,
                    state=now.state or "removed",
                    reason=now.reason,
                )

    def tell_again(self) -> None:
        """Mark every listing as changed, because a broker may have dropped earlier ones."""
        self._told.clear()
        self._changed |= dict.fromkeys(self._listed)

    def _choose(self) -> None:
        before = self._before | self.subscribed.keys()
        chosen = dict.fromkeys(resolve(self._items, self._listed.values(), self._volumes, before))
        for symbol, decision in self._decisions.items():
            if decision.collected:
                chosen[symbol] = None
            else:
                chosen.pop(symbol, None)
        self._chosen = chosen
        self._changed |= dict.fromkeys(self._listed)

    def _is_followed(self, symbol: str) -> bool:
        listing = self._listed.get(symbol)
        if listing is None or listing.venue not in self._answered:
            return False
        return listing.status == TRADING or (listing.status == "halted" and symbol in self.subscribed)

    def _now(self, listing: Listing) -> Listing:
        state, reason = self._state(listing)
        return structs.replace(listing, state=state, reason=reason)

    def _state(self, listing: Listing) -> tuple[SymbolState | None, str | None]:
        if listing.symbol not in self._chosen:
            return None, None
        if listing.status != TRADING:
            said = f"the venue says {listing.venue_status}" if listing.venue_status else _UNLISTED
            return listing.status, said
        return self.subscribed.get(listing.symbol, "filling"), self._reasons.get(listing.symbol)
