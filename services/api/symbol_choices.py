"""Symbols that can be collected, and those that are: what ingest and users say of them on the topics."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from msgspec import structs

from services.api.queries.symbol_search import best_first
from services.api.settings import ApiSettings
from services.common.errors import TransientError
from services.common.kafka.losses import Outrun
from services.common.kafka.symbol_configs import Listings, SymbolConfigs, publish
from services.contracts.listings import TRADING, Listing, SymbolConfig

READ_S = 3.0
_UNREAD = "the symbols of the feed have not been read from the broker yet"


class SymbolChoices:
    """Follows ``symbols`` and ``listings``; a change is published, and holds once it has been read back."""

    def __init__(self, settings: ApiSettings, outrun: Outrun) -> None:
        self._settings = settings
        self._decisions = SymbolConfigs(outrun=outrun)
        self._listings = Listings(outrun=outrun)

    @property
    def listed(self) -> Mapping[str, Listing]:
        """The symbols that the feed has, by name."""
        return self._listings.by_name

    async def follow_decisions(self) -> None:
        """Read what users have decided, until cancelled."""
        await self._decisions.follow(self._settings, self._beside_selection())

    async def follow_listings(self) -> None:
        """Read what ingest says of symbols, until cancelled."""
        await self._listings.follow(self._settings)

    def state(self, symbol: str) -> list[tuple[str, Any]]:
        """Return the state of a symbol and the reason, as fields of a row."""
        listing = self.listed.get(symbol)
        return [
            ("state", None if listing is None else listing.state),
            ("state_reason", None if listing is None else listing.reason),
        ]

    def collected(self) -> dict[str, None]:
        """Return the symbols that are collected, or would be if they traded: those of the settings first."""
        decisions = self._decisions.by_name
        named = (*self._settings.named_symbols, *decisions)
        told = (symbol for symbol, listing in self.listed.items() if listing.state is not None)
        return {
            symbol: None
            for symbol in dict.fromkeys((*named, *told))
            if symbol not in decisions or decisions[symbol].collected
        }

    def is_removed(self, symbol: str) -> bool:
        """Tell whether a user has decided that a symbol is not collected."""
        decision = self._decisions.by_name.get(symbol)
        return decision is not None and not decision.collected

    def search(self, text: str | None) -> list[Listing]:
        """Return what is listed, or what of it fits a text, best first."""
        listed = list(self.listed.values())
        return best_first(listed, text) if text else sorted(listed, key=lambda one: one.symbol)

    def listing(self, symbol: str) -> Listing:
        """Return a listed symbol; one that is collected as of now is filling."""
        listing = self.listed[symbol]
        return structs.replace(listing, state="filling") if listing.state is None else listing

    async def known(self) -> Mapping[str, Listing]:
        """Return the listed symbols; TransientError until the topic is read and lists any."""
        if await self.known_so_far():
            return self.listed
        raise TransientError(_UNREAD)

    async def known_so_far(self) -> Mapping[str, Listing]:
        """Return the listed symbols, after a while also none; TransientError until the topic is read."""
        await self.read()
        with suppress(TimeoutError):
            async with asyncio.timeout(READ_S):
                while not self.listed:
                    await self._listings.changed(self._listings.version)
        return self.listed

    async def read(self) -> None:
        """Wait until both topics are read, which takes a moment after a start; TransientError if it takes longer."""
        try:
            async with asyncio.timeout(READ_S):
                await self._decisions.loaded.wait()
                await self._listings.loaded.wait()
        except TimeoutError:
            raise TransientError(_UNREAD) from None

    def can_be_collected(self, symbol: str) -> bool:
        """Tell whether a symbol is listed and trades."""
        listing = self.listed.get(symbol)
        return listing is not None and listing.status == TRADING

    async def decide(self, symbols: list[str], collected: bool) -> None:
        """Publish that these symbols are collected, or not, and return once this process goes by it."""
        changes = {symbol: SymbolConfig(symbol=symbol, collected=collected) for symbol in symbols}
        if all(self._decisions.by_name.get(symbol) == change for symbol, change in changes.items()):
            return
        reached = await publish(self._settings, changes)
        with suppress(TimeoutError):
            async with asyncio.timeout(READ_S):
                await self._decisions.wait_for(reached)

    def _beside_selection(self) -> dict[str, SymbolConfig]:
        """Return the legs of the settings' pairs that their selection of symbols may leave out."""
        named = self._settings.named_symbols
        if named == self._settings.symbols:
            return {}
        legs = dict.fromkeys(leg for pair in self._settings.pairs for leg in pair)
        return {leg: SymbolConfig(symbol=leg) for leg in legs if leg not in named}
