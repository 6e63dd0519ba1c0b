"""Search among listed symbols: by name, base, quote, and the forms in which other tools write them. Pure."""

import re
from collections.abc import Iterable
from contextlib import suppress
from difflib import SequenceMatcher

from services.contracts.listings import TRADING, Listing
from services.contracts.symbol_forms import market_symbol

_SEPARATORS = re.compile(r"[\s/:,]+")
# What a coin is called elsewhere.
_ALIASES = {
    "XBT": "BTC",
    "BITCOIN": "BTC",
    "ETHER": "ETH",
    "ETHEREUM": "ETH",
    "SOLANA": "SOL",
    "RIPPLE": "XRP",
}
_QUOTES = ("USDT", "USDC", "USD")
_LEAST_SIMILAR = 0.75


def best_first(listed: Iterable[Listing], text: str) -> list[Listing]:
    """Return the symbols that fit a text, best first: the same name, the same base, the beginning, a part, near ones.

    Of equals those that trade come first, then the better known quote, then perpetuals and the shorter name.
    """
    wanted = _forms(text)
    if not wanted:
        return []
    ranked = [(rank, listing) for listing in listed if (rank := _rank(listing, wanted)) is not None]
    return [listing for rank, listing in sorted(ranked, key=lambda one: (one[0], _order(one[1])))]


def _forms(text: str) -> list[str]:
    """Return what a text may mean: itself, without separators, as a symbol of ours, and by its usual name."""
    upper = text.strip().upper()
    words = [_ALIASES.get(word, word) for word in _SEPARATORS.split(upper) if word]
    forms = ["".join(words)]
    with suppress(ValueError):
        forms.append(market_symbol(upper))
    return [form for form in dict.fromkeys(forms) if form]


def _rank(listing: Listing, wanted: Iterable[str]) -> float | None:
    symbol, base = listing.symbol.upper(), (listing.base or "").upper()
    ranks: list[float] = []
    for form in wanted:
        if symbol == form:
            ranks.append(0)
        elif base == form:
            ranks.append(1)
        elif symbol.startswith(form) or base.startswith(form):
            ranks.append(2)
        elif form in symbol or form in (listing.quote or "").upper():
            ranks.append(3)
        elif (likeness := SequenceMatcher(None, form, symbol).ratio()) >= _LEAST_SIMILAR:
            ranks.append(5 - likeness)
    return min(ranks, default=None)


def _order(listing: Listing) -> tuple[bool, int, bool, int, str]:
    quote = listing.quote or ""
    known = _QUOTES.index(quote) if quote in _QUOTES else len(_QUOTES)
    return (
        listing.status != TRADING,
        known,
        listing.delivery_us is not None or "." in listing.symbol,
        len(listing.symbol),
        listing.symbol,
    )
