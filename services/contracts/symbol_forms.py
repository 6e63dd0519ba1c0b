"""Forms in which people, venues and tools write symbols and pairs, read as ours.

Where a name is one of ours already it stays: a form is read only where nothing is known under the name as it is.
"""

import re
from collections.abc import Container, Iterator, Sequence
from datetime import datetime

from services.contracts.pairs import Pair, is_symbol, parse_pair, parse_symbol

QUOTES = (
    *("USDT", "USDC", "FDUSD", "BUSD", "TUSD", "USDE", "USD1", "PYUSD", "DAI", "USD", "EUR", "GBP", "JPY"),
    *("TRY", "BRL", "AUD", "CAD", "CHF", "KRW", "BTC", "XBT", "ETH", "BNB"),
)
PERPETUAL = ("SWAP", "PERP", "PERPETUAL", "P")
_COUNTRIES = ("US", "UK", "DE", "JP", "HK", "PL", "HU")
_LINEAR = ("USDT", "USDC", "FDUSD", "BUSD", "TUSD", "USDE", "USD1")
# Ours, with an ending that no other tool writes.
_OURS = re.compile(r"(?P<pair>[^\W_]{2,30})(?P<contract>_[0-9]{6}|_PERP)?(?P<venue>\.[A-Z]{2,12})?")
# MetaTrader 4 writes the minutes of its period behind the symbol.
_PERIOD = re.compile(r"(.{6,})(5|15|30|60|240|1440|10080|43200)")
_SPLIT = re.compile(r"[-_, ]+")
_UNIFIED = re.compile(r"([^/-]+)/([^/:-]+)(?::([^-]+)(?:-([0-9]{6})(?:-.*)?)?)?")
_PREFIXED = re.compile(r"[A-Z_]{1,15}:(.+)")


def market_symbol(text: str, known: Container[str] = ()) -> str:
    """Return the symbol in the form of ours; ValueError if it cannot be one.

    A name in `known` is meant as it is written. A perpetual priced in a dollar coin is called as its pair, one that
    settles in its coin with _PERP; a name of no known form is what a venue may list.

    >>> market_symbol("btc/usdt"), market_symbol("BTC-USDT"), market_symbol("BTC/USDT:USDT-250926")
    ('BTCUSDT', 'BTCUSDT', 'BTCUSDT_250926')
    >>> market_symbol("BINANCE:BTCUSDT.P"), market_symbol("BTC/USD:BTC"), market_symbol("BTC-USDT-SWAP")
    ('BTCUSDT', 'BTCUSD_PERP', 'BTCUSDT')
    >>> market_symbol("BTCUSDT_PERP"), market_symbol("GOLD-26.A"), market_symbol("BTC-USDT", {"BTC-USDT"})
    ('BTCUSDT', 'GOLD-26.A', 'BTC-USDT')
    """
    name = text.strip().upper()
    if name in known:
        return name
    found = _read(name) or name
    if not is_symbol(found):
        raise ValueError(f"expected a symbol such as BTCUSDT, received {text!r}")
    return found


def read_symbol(text: str, known: Container[str] = ()) -> str:
    """Return what `market_symbol` does, or the text in upper case if it cannot be a symbol."""
    try:
        return market_symbol(text, known)
    except ValueError:
        return text.strip().upper()


def read_pair(text: str, known: Container[str] = ()) -> str:
    """Return the name of the pair that is meant, or the text in upper case if it is none; `known` are pairs."""
    name = text.strip().upper()
    if name in known:
        return name
    try:
        return spelled if (spelled := spelled_pair(name)) in known else str(market_pair(name))
    except ValueError:
        return name


def spelled_symbol(text: str) -> str:
    """Return a symbol as it is written if it can be one, or else as it is read; ValueError as `market_symbol`.

    For who cannot tell yet which are known: `market_symbol` reads the answer again.
    """
    try:
        return parse_symbol(text)
    except ValueError:
        return market_symbol(text)


def spelled_pair(text: str) -> str:
    """Return the name of a pair as it is written if it can be one, or else as it is read; or a ValueError."""
    try:
        return parse_pair(text)
    except ValueError:
        return str(market_pair(text))


def market_pair(text: str, known: Container[str] = ()) -> Pair:
    """Return the pair that is meant; ValueError if it is none, or may be several.

    `known` are symbols: those are meant as they are written.

    >>> str(market_pair("eth/usdt:usdt-btc/usdt:usdt")), str(market_pair("ETH-USDT-SWAP-BTC-USDT-SWAP"))
    ('ETHUSDT-BTCUSDT', 'ETHUSDT-BTCUSDT')
    """
    splits = list(_splits(text))
    if len(splits) > 1:
        splits = [legs for legs in splits if all(leg.upper() in known or _is_told(leg) for leg in legs)]
    pairs = {(market_symbol(y, known), market_symbol(x, known)) for y, x in splits}
    if len(pairs) != 1:
        raise ValueError(
            "expected a pair Y-X such as ETHUSDT-BTCUSDT, or Y--X if a symbol has a hyphen itself, "
            f"received {text!r}"
        )
    return Pair.of(*pairs.pop())


def tokens(text: str) -> list[str]:
    """Return the parts of a name."""
    return [token.removesuffix("=X") for token in _SPLIT.split(text.strip()) if token]


def joined(parts: Sequence[str]) -> str | None:
    """Return one symbol made of its parts, None if they are no parts of one."""
    if not parts:
        return None
    first, *rest = parts
    first, dot, venue = first.partition(".")
    if dot and venue in PERPETUAL:
        rest, dot, venue = [venue, *rest], "", ""
    if rest and rest[0] in QUOTES and not has_quote(first):
        if first in QUOTES[: QUOTES.index(rest[0])]:
            return None  # some name the quote first
        first += rest.pop(0)
        if rest and rest[0] in QUOTES and first.endswith(rest[0]):
            del rest[0]  # what a unified perpetual settles in
    if rest and rest[0] in PERPETUAL and has_quote(first):
        del rest[0]
        if not first.endswith(_LINEAR):
            first += "_PERP"
    if rest and is_delivery(rest[0]):
        first += f"_{rest.pop(0)}"
    if rest and rest[0] in _COUNTRIES and not dot and not has_quote(first):
        dot, venue = ".", rest.pop(0)  # as Stooq says where a share is listed
    if rest:
        return None
    if (period := _PERIOD.fullmatch(first)) and period[1].endswith(QUOTES):
        first = period[1]
    return first + dot + venue


def has_quote(name: str) -> bool:
    """Return whether a name ends with a quote currency."""
    return any(name.endswith(quote) and name != quote for quote in QUOTES)


def is_delivery(token: str) -> bool:
    """Return whether a part of a name is the day of a delivery."""
    try:
        datetime.strptime(token, "%y%m%d")  # noqa: DTZ007
    except ValueError:
        return False
    return len(token) == 6


def _read(name: str) -> str | None:
    """Return the symbol that a name in upper case is a form of, None if it is of no known form."""
    if "--" in name:  # as only pairs have it
        return None
    if (ours := _OURS.fullmatch(name)) and (ours["venue"] or "")[1:] not in PERPETUAL:
        is_linear = ours["contract"] == "_PERP" and ours["pair"].endswith(_LINEAR)
        return ours["pair"] + (ours["venue"] or "") if is_linear else name
    if unified := _UNIFIED.fullmatch(name):
        base, quote, settled, expiry = unified.groups()
        end = f"_{expiry}" if expiry else "_PERP" if settled not in (None, quote) else ""
        return f"{base.partition(':')[2] or base}{quote}{end}"
    if prefixed := _PREFIXED.fullmatch(name):
        name = prefixed[1]
    if is_symbol(found := joined(tokens(name.removesuffix("=X").removeprefix("^"))) or ""):
        return found
    return name if prefixed else None


def _is_told(leg: str) -> bool:
    """Return whether a leg is written in a known form, with the currency it is priced in."""
    found = _read(leg.strip().upper())
    return found is not None and is_symbol(found) and has_quote(re.split(r"[._]", found)[0])


def _splits(text: str) -> Iterator[tuple[str, str]]:
    """Yield the two halves of a text at each place where a pair may be joined."""
    join = "--" if "--" in text else "-"
    parts = text.split(join)
    for place in range(1, len(parts)):
        yield join.join(parts[:place]), join.join(parts[place:])
