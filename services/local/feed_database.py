"""Database of each feed: one for live, one for replay, one for each seed of the synthetic market.

The version before had one for each seed, rate and set of symbols, so that one symbol more opened an empty one.
"""

import hashlib
from itertools import combinations

from services.ingest.settings import IngestSettings

_FORMER_SYMBOLS = ("BTCUSDT", "ETHUSDT", "BNBUSDT", "SOLUSDT")
_FORMER_RATE = 20.0


def name(settings: IngestSettings) -> str:
    """Return the name of the feed's database: what is collected, and how fast, changes nothing."""
    return f"synthetic_{settings.seed}" if settings.feed == "synthetic" else settings.feed


def former_names(settings: IngestSettings) -> dict[str, str]:
    """Return the names that the version before may have given, and what is in each; first that of these settings."""
    if settings.feed != "synthetic":
        return {}
    rate = _FORMER_RATE if settings.rate is None else settings.rate
    every = [
        some for count in range(len(_FORMER_SYMBOLS), 0, -1) for some in combinations(_FORMER_SYMBOLS, count)
    ]
    markets = [(rate, settings.symbols), *((at, some) for at in (rate, _FORMER_RATE) for some in every)]
    return {
        _former_name(settings.seed, at, some): f"{', '.join(some)} at {at:g} ticks/s" for at, some in markets
    }


def _former_name(seed: int, rate: float, symbols: tuple[str, ...]) -> str:
    market = f"{seed} {rate} {sorted(symbols)}"
    return f"synthetic_{hashlib.sha256(market.encode()).hexdigest()[:12]}"
