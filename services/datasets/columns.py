"""Columns of a file of bars, recognised by the names in its header or named by the user."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from services.datasets.options import FIELDS, Field

# Of several matching columns the first counts.
_NAMES: dict[Field, tuple[str, ...]] = {
    "time": (
        *("open_time", "start_us", "start_time", "timestamp", "datetime", "date_time", "unix", "time_utc"),
        *("ts", "t", "time", "date", "day", "gmt_time", "local_time", "time_period_start"),
    ),
    "clock": (),
    "symbol": ("symbol", "ticker", "instrument", "tic", "sym", "asset", "coin"),
    "open": ("open", "o", "open_price", "price_open", "opening_price"),
    "high": ("high", "h", "high_price", "price_high", "max"),
    "low": ("low", "l", "low_price", "price_low", "min"),
    "close": ("close", "c", "close_price", "price_close", "closing_price"),
    "volume": ("volume", "v", "vol", "tickvol", "volume_traded", "base_volume", "vol."),
}
# The venue's archive of klines had no header until 2022.
_KLINE = ("open_time", "open", "high", "low", "close", "volume", *"abcdef")


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
    return name.partition("(")[0].strip(' "<>\t\r').lower().replace(" ", "_")


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
        # "Volume BTC" is a volume, if there is nothing that is one by name.
        if wanted is None and field == "volume" and not set(candidates) & set(names):
            candidates = tuple(name for name in names if name.startswith("volume_"))
        found = next((name for name in candidates if name in names), None)
        if found is not None and (wanted is None or _exact(header, str(wanted)) is None):
            if names.count(found) > 1:
                raise ValueError(f"expected one column {found!r}, received {names.count(found)}")
            places[field] = names.index(found)
        elif wanted is not None:
            if (exact := _exact(header, str(wanted))) is None:
                return None
            places[field] = exact
    if places.get("time") is not None and "clock" not in mapping and {"date", "time"} <= set(names):
        places |= {"time": names.index("date"), "clock": names.index("time")}
    return _complete(places)


def kline(width: int) -> Columns | None:
    """Return the columns of a file without a header, if `width` tells them."""
    return named(_KLINE, {}) if width == len(_KLINE) else None


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
