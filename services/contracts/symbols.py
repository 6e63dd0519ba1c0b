"""Underlying asset that two symbols share."""

import re

# Every dollar: a coin that is worth one, or that says so.
_DOLLARS = re.compile(r"(?P<base>.+?)(?:USDT|USDC|FDUSD|BUSD|TUSD|USDE|USD1|PYUSD|DAI|USD)(?:[._].*)?")


def same_asset(y: str, x: str) -> str | None:
    """Return what both symbols are futures on, if that is the same, both are priced in dollars, and near 1 to 1.

    >>> same_asset("BTCUSDT", "BTCUSDC"), same_asset("BTCUSDT", "BTCUSDT_261225.OKX"), same_asset("ETHUSDT", "ETHBTC")
    ('BTC', 'BTC', None)
    """
    of_y, of_x = (_DOLLARS.fullmatch(symbol) for symbol in (y, x))
    if of_y is None or of_x is None or of_y["base"] != of_x["base"]:
        return None
    return of_y["base"]
