"""Pair of futures, written ``Y-X``: Y is regressed on X."""

import re
from functools import lru_cache
from typing import NamedTuple

# BTCUSDT, BTCUSDT_261225 (a delivery), BTCUSD_PERP (settled in its coin), letters of any script as venues list them,
# and with the venue where it is not the first one: BTCUSDT.OKX
SYMBOL = re.compile(
    r"[A-Z0-9\u00c0-\u1fff\u2c00-\u2fff\u3040-\ud7ff]{2,30}(_[0-9]{6}|_PERP)?(\.[A-Z]{2,12})?"
)


@lru_cache(maxsize=4096)
def is_symbol(text: str) -> bool:
    """Tell whether a text is a symbol; results are cached."""
    return SYMBOL.fullmatch(text) is not None


@lru_cache(maxsize=4096)
def is_pair(text: str) -> bool:
    """Tell whether a pair is written as it is here."""
    y, _, x = text.partition("-")
    return y != x and is_symbol(y) and is_symbol(x)


def parse_symbol(text: str) -> str:
    """Return the symbol in upper case; ValueError if it cannot be one."""
    symbol = text.strip().upper()
    if not SYMBOL.fullmatch(symbol):
        raise ValueError(f"expected a symbol such as BTCUSDT, received {text!r}")
    return symbol


class Pair(NamedTuple):
    """Two different symbols; ``spread = y - (intercept + hedge_ratio * x)``. Swapped legs are another pair."""

    y: str
    x: str

    @classmethod
    def parse(cls, text: str) -> "Pair":
        """Read ``ETHUSDT-BTCUSDT``; ValueError unless it names two different symbols."""
        legs = text.split("-")
        if len(legs) != 2:
            raise ValueError(f"expected a pair Y-X such as ETHUSDT-BTCUSDT, received {text!r}")
        y, x = map(parse_symbol, legs)
        if y == x:
            raise ValueError(f"expected two different symbols, received {text!r}")
        return cls(y, x)

    def __str__(self) -> str:
        return f"{self.y}-{self.x}"


def parse_pair(text: str) -> str:
    """Return the name of the pair, in upper case; ValueError as `Pair.parse`."""
    return str(Pair.parse(text))
