"""Symbols at run time: what a feed lists, and which of it users want collected."""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from services.contracts.fields import Microseconds, Name, Positive, Symbol

ListingStatus = Literal["trading", "pre-trading", "halted", "delivered", "delisted"]
SymbolState = Literal["filling", "live", "pre-trading", "halted", "delivered", "delisted"]

TRADING: Final = "trading"
ENDED: Final = ("delivered", "delisted")
"""Statuses from which no symbol comes back under the same contract."""


class SymbolConfig(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Decision of a user on one symbol; compacted topic ``symbols``, key: symbol.

    It goes before the settings: a symbol that they name is not ``collected`` if it says so, and one that they do not
    name is if it says that. A message without a value leaves the symbol to the settings again.
    """

    symbol: Symbol
    collected: bool = True


class Listing(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A symbol that the feed has, collected or not; compacted topic ``listings``, key: symbol.

    ``status`` is the venue's, in our words; ``venue_status`` in its own. ``delivery_us`` is when a contract ends, None
    of a perpetual. ``state`` is there while ingest collects the symbol, or would if it traded, with the ``reason`` if
    it is not ``live``. ``tick_size`` is the step of prices, ``size_step`` that of sizes, in base currency.
    """

    symbol: Symbol
    venue: Name
    status: ListingStatus = TRADING
    venue_status: Name | None = None
    base: Name | None = None
    quote: Name | None = None
    contract_type: Name | None = None
    tick_size: Positive | None = None
    onboard_us: Microseconds | None = None
    delivery_us: Microseconds | None = None
    state: SymbolState | None = None
    reason: Annotated[str, Meta(max_length=1_000)] | None = None
    size_step: Positive | None = None
