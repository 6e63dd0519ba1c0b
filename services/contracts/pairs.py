"""Symbol as its venue lists it, and pair of two of them, written ``Y-X``: Y is regressed on X.

A pair of which a symbol has a hyphen itself is written ``Y--X``: no symbol has two hyphens in a row.
"""

import re
from functools import lru_cache
from typing import NamedTuple

MOST_CHARACTERS = 64
# Letters, digits and marks of any script; no controls, spaces and punctuation.
_LETTER = (
    r"[A-Z0-9\u00c0-\u061b\u061d-\u167f\u1681-\u180d\u180f-\u1fff\u2c00-\u2dff\u2e80-\u2fff\u3005-\u3007"
    r"\u3040-\ud7ff\uf900-\ufdff\ufe70-\ufefc\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\uff66-\uffdc]"
)
# BTCUSDT, BTCUSDT_261225 (a delivery), BTCUSD_PERP (settled in its coin), 1INCHUSDT, and with the venue where it is not
# the first one: BTCUSDT.OKX
SYMBOL = re.compile(f"{_LETTER}(?:[_.-]?{_LETTER}){{1,47}}")
_VENUE = re.compile(r"\.([A-Z]{2,12})$")
_PLAIN = SYMBOL.pattern.replace("_.-", "_.")
PAIR = re.compile(f"(?:{_PLAIN}-{_PLAIN}|{SYMBOL.pattern}--{SYMBOL.pattern})")


@lru_cache(maxsize=4096)
def is_symbol(text: str) -> bool:
    """Tell whether a text is a symbol, in upper case; results are cached."""
    return len(text) <= MOST_CHARACTERS and SYMBOL.fullmatch(text) is not None and text == text.upper()


@lru_cache(maxsize=4096)
def is_pair(text: str) -> bool:
    """Tell whether a pair is written as it is here."""
    legs = _legs(text)
    return legs is not None and legs[0] != legs[1] and all(map(is_symbol, legs)) and text == _joined(*legs)


def parse_symbol(text: str) -> str:
    """Return the symbol in upper case; ValueError if it cannot be one."""
    symbol = text.strip().upper()
    if not is_symbol(symbol):
        raise ValueError(f"expected a symbol such as BTCUSDT, received {text!r}")
    return symbol


def venue_suffix(symbol: str) -> str:
    """Return what a symbol says of its venue, empty if nothing: that is the first one.

    >>> venue_suffix("BTCUSDT.OKX"), venue_suffix("BTCUSDT"), venue_suffix("A.1USDT")
    ('OKX', '', '')
    """
    found = _VENUE.search(symbol)
    return found[1] if found else ""


class Pair(NamedTuple):
    """Two different symbols; ``spread = y - (intercept + hedge_ratio * x)``. Swapped legs are another pair."""

    y: str
    x: str

    @classmethod
    def parse(cls, text: str) -> "Pair":
        """Read ``ETHUSDT-BTCUSDT``; ValueError unless it names two different symbols.

        >>> Pair.parse("ETHUSDT-BTCUSDT"), Pair.parse("GOLD-26--BTCUSDT")
        (Pair(y='ETHUSDT', x='BTCUSDT'), Pair(y='GOLD-26', x='BTCUSDT'))
        """
        legs = _legs(text)
        if legs is None:
            raise ValueError(
                "expected a pair Y-X such as ETHUSDT-BTCUSDT, or Y--X if a symbol has a hyphen itself, "
                f"received {text!r}"
            )
        return cls.of(*map(parse_symbol, legs))

    @classmethod
    def of(cls, y: str, x: str) -> "Pair":
        """Return the pair of two symbols; ValueError if they are one."""
        if y == x:
            raise ValueError(f"expected two different symbols, received {y!r} twice")
        return cls(y, x)

    @property
    def swapped(self) -> "Pair":
        """Return the pair of the same symbols the other way round."""
        return Pair(self.x, self.y)

    def __str__(self) -> str:
        return _joined(*self)


def parse_pair(text: str) -> str:
    """Return the name of the pair, in upper case; ValueError as `Pair.parse`."""
    return str(Pair.parse(text))


def _legs(text: str) -> tuple[str, str] | None:
    """Return what stands before and after the one place where a pair is joined, None if there is not one."""
    legs = text.split("--" if "--" in text else "-")
    return (legs[0], legs[1]) if len(legs) == 2 else None


def _joined(y: str, x: str) -> str:
    return f"{y}{'--' if '-' in y + x else '-'}{x}"
