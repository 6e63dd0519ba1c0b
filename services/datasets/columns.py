"""Columns of a file of bars, recognised by the names in its header or named by the user."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from services.datasets.options import FIELDS, Field

# Of several matching columns the first counts.
_NAMES: dict[Field, tuple[str, ...]] = {
    "time": (
        *(
            "open_time",
            "opentime",
            "time_open",
            "timeopen",
            "start_us",
            "start_time",
            "window_start",
            "bar_start",
        ),
        *("candle_begin_time", "timestamp", "datetime", "date_time", "date_utc", "unix", "unix_timestamp"),
        *("time_utc", "utc", "begin", "start", "ts", "t", "time", "date", "day", "gmt_time", "local_time"),
        *("time_period_start", "snapped_at"),
    ),
    "clock": (),
    "symbol": ("symbol", "ticker", "instrument", "tic", "sym", "asset", "coin", "pair"),
    "open": ("open", "o", "open_price", "price_open", "opening_price"),
    "high": ("high", "h", "high_price", "price_high", "max"),
    "low": ("low", "l", "low_price", "price_low", "min"),
    "close": (*("close", "c", "close_price", "price_close", "closing_price", "close/last"), "last", "price"),
    "volume": ("volume", "v", "vol", "volume_traded", "base_volume", "vol.", "tickvol", "tick_volume"),
}
TICK_VOLUMES = ("tickvol", "tick_volume")
# Beside these a price is one of a trade.
_OF_TRADES = {
    *("qty", "quantity", "size", "side", "is_buyer_maker", "isbuyermaker", "trade_id", "agg_trade_id", "id"),
    *("amount", "m", "buyer_is_maker"),
}
_OF_TRADES_ALONE = ("last", "price")
# What a table of pandas calls its index.
_INDEX = ("__index_level_0__", "", "unnamed:_0", "index", "level_0")
_QUOTED = ("usdt", "usdc", "usd", "busd", "eur", "quote")


class Columns(NamedTuple):
    """The place of each, from 0 on. A file with closes alone has one place for all four prices.

    `clock` holds the time of day where `time` has the day alone.
    """

    time: int
    clock: int | None
    symbol: int | None
    open: int
    high: int
    low: int
    close: int
    volume: int | None

    @property
    def prices(self) -> tuple[int, int, int, int]:
        """Return the places of open, high, low and close."""
        return self.open, self.high, self.low, self.close

    @property
    def close_only(self) -> bool:
        """Return whether the file has no other price."""
        return self.open == self.close

    @property
    def texts(self) -> list[int]:
        """Return the places that are read as text."""
        return [place for place in (self.time, self.clock, self.symbol) if place is not None]


def normal(name: str) -> str:
    """Return a column's name without what differs from one program to another.

    >>> normal(' "Open Time" '), normal("<CLOSE>"), normal("Volume (BTC)")
    ('open_time', 'close', 'volume')
    """
    return name.partition("(")[0].strip(' "<>*\t\r').lower().replace(" ", "_")


def named(header: Sequence[str], mapping: Mapping[Field, str | int]) -> Columns | None:
    """Return where a header says everything is, None if it does not; ValueError if it says so twice."""
    names = [normal(name) for name in header]
    places: dict[Field, int] = {}
    for field in FIELDS:
        wanted = mapping.get(field)
        if isinstance(wanted, int):
            if not 1 <= wanted <= len(header):
                return None
            places[field] = wanted - 1
            continue
        candidates = _NAMES[field] if wanted is None else (normal(wanted),)
        if wanted is None and field == "close" and _OF_TRADES & set(names):
            candidates = tuple(name for name in candidates if name not in _OF_TRADES_ALONE)
        # "Volume BTC" is a volume, if there is nothing that is one by name, and rather than "Volume USDT".
        if wanted is None and field == "volume" and not set(candidates) & set(names):
            of = [name for name in names if name.startswith("volume_")]
            candidates = tuple(sorted(of, key=lambda name: name.endswith(_QUOTED)))
        found = next((name for name in candidates if name in names), None)
        if found is not None and (wanted is None or _exact(header, str(wanted)) is None):
            if names.count(found) > 1:
                raise ValueError(f"expected one column {found!r}, received {names.count(found)}")
            places[field] = names.index(found)
        elif wanted is not None:
            if (exact := _exact(header, str(wanted))) is None:
                return None
            places[field] = exact
    if "time" not in places and "time" not in mapping:
        index = next((place for place, name in enumerate(names) if name == _INDEX[0]), 0)
        if names and names[index] in _INDEX:
            places["time"] = index
    if places.get("time") is not None and "clock" not in mapping and {"date", "time"} <= set(names):
        places |= {"time": names.index("date"), "clock": names.index("time")}
    return _complete(places)


def _exact(header: Sequence[str], name: str) -> int | None:
    places = [place for place, column in enumerate(header) if column.strip() == name.strip()]
    return places[0] if len(places) == 1 else None


def _complete(places: Mapping[Field, int]) -> Columns | None:
    if "time" not in places or "close" not in places:
        return None
    prices: tuple[Field, ...] = ("open", "high", "low")
    known = [places[price] for price in prices if price in places]
    if known and len(known) < len(prices):
        return None
    opened, high, low = known or [places["close"]] * len(prices)
    return Columns(
        places["time"],
        places.get("clock"),
        places.get("symbol"),
        opened,
        high,
        low,
        places["close"],
        places.get("volume"),
    )
