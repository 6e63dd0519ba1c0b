"""Rates of the synthetic market: how many trades a symbol has in a minute."""

from collections.abc import Iterable

OWN_RATE = 10.0
"""Trades of a symbol a second, where nothing else is asked for."""


def per_minute(symbols: Iterable[str], rate: float | None) -> dict[str, int]:
    """Return the trades of each symbol in a minute: its own number, or its share of `rate` (a second, all together)."""
    names = tuple(symbols)
    each = OWN_RATE if rate is None else rate / len(names)
    return dict.fromkeys(names, round(each * 60))
