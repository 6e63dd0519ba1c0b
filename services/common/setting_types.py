"""Types of settings: how the text of a variable is read as symbols, pairs, networks, times."""

import re
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated

from pydantic import BeforeValidator, Field

from services.contracts.pairs import Pair
from services.contracts.selection import parse_item
from services.contracts.symbol_forms import market_pair


def split(text: object) -> list[str]:
    """Return the names in a comma-separated text, each once; ValueError for an empty one."""
    parts = [part.strip() for part in str(text).split(",")]
    if not all(parts):
        raise ValueError(f"expected names separated by single commas, received {text!r}")
    return list(dict.fromkeys(parts))


def _symbols(text: object) -> tuple[str, ...]:
    # A space may stand for the comma that is missing.
    if missing := [name for name in split(text) if " " in name]:
        raise ValueError(
            f"expected a symbol such as BTCUSDT, and commas between several, received {missing[0]!r}"
        )
    return tuple(dict.fromkeys(map(parse_item, split(text))))


def _pairs(text: object) -> tuple[Pair, ...]:
    return tuple(dict.fromkeys(map(market_pair, split(text))))


Symbols = Annotated[tuple[str, ...], BeforeValidator(_symbols)]
Pairs = Annotated[tuple[Pair, ...], BeforeValidator(_pairs)]
Port = Annotated[int, Field(ge=0, le=65535)]
Hosts = Annotated[
    tuple[str, ...], BeforeValidator(lambda text: tuple(name.lower() for name in split(text)) if text else ())
]

Names = Annotated[tuple[str, ...], BeforeValidator(split)]


def _networks(text: object) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(map(ip_network, split(text))) if text else ()


Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], BeforeValidator(_networks)]

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def _duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    match = re.fullmatch(r"([0-9]{1,6})([smhd])", str(value).strip())
    if match is None or int(match[1]) == 0:
        raise ValueError(f"expected a time such as 90s, 15m, 12h or 30d, received {value!r}")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _retention(value: object) -> timedelta | None:
    return None if value in (None, "forever") else _duration(value)


Duration = Annotated[timedelta, BeforeValidator(_duration)]
Retention = Annotated[timedelta | None, BeforeValidator(_retention)]
