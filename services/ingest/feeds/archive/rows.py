"""Parser of ``aggTrades`` csv: the one place that knows the columns of the venue's archive."""

import io
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from services.ingest.feeds.text_file import FileDamage

COLUMNS = "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker"
ROW = np.dtype(
    [
        ("trade_id", np.int64),
        ("event_us", np.int64),
        ("price", np.float64),
        ("size", np.float64),
        ("buyer_is_maker", np.bool_),
        # Where the row is from: the number of its file above, that of its line in the lower 32 bits.
        ("place", np.int64),
    ]
)
Rows = NDArray[np.void]

_AS_WRITTEN = np.dtype([("id", "i8"), ("price", "f8"), ("size", "f8"), ("time", "i8"), ("maker", "S6")])
_USED_COLUMNS = (0, 1, 2, 5, 6)
# 1973 in the one unit, 5138 in the other: no trade is older or younger.
_EARLIEST_MS = 10**11
_EARLIEST_US = 10**14
_END_US = 253_402_300_800_000_000
_HIGHEST = 1e20


def is_header(line: bytes) -> bool:
    """Return whether a line names the columns; more of them may follow."""
    return (line.strip() + b",").startswith(f"{COLUMNS},".encode())


def first_id(lines: bytes) -> int | None:
    """Return the id in the first of `lines` that is a row."""
    rows = (found for found in parse(lines, 0) if not isinstance(found, FileDamage) and len(found))
    return next((int(found["trade_id"][0]) for found in rows), None)


def parse(lines: bytes, number: int) -> Iterator[Rows | FileDamage]:
    """Yield the rows in `lines`, in their order, many at once, and the lines that are damaged.

    `number` is that of the first line. Times become µs: some files have ms. Blank lines are left out.
    """
    try:
        loaded = _load(lines)
    except ValueError as error:
        # Halving finds a damaged row among 60,000 in sixteen steps.
        middle = lines.rfind(b"\n", 0, len(lines) // 2) + 1 or lines.find(b"\n") + 1
        if 0 < middle < len(lines):
            yield from parse(lines[:middle], number)
            yield from parse(lines[middle:], number + lines.count(b"\n", 0, middle))
        elif not lines.isspace():
            yield _damage(number, lines, str(error))
        return
    rows, sound = _convert(loaded)
    rows["place"] = np.arange(number, number + len(rows))
    yield rows if sound.all() else rows[sound]
    if not sound.all():
        text = lines.split(b"\n")
        for index in np.flatnonzero(~sound).tolist():
            yield _damage(number + index, text[index], "a value is out of its range")


def _load(lines: bytes) -> NDArray[np.void]:
    """Return the used columns of `lines`; ValueError if one of them is no row."""
    if not lines.strip():
        raise ValueError("it is blank")
    loaded = np.loadtxt(
        io.StringIO(lines.decode("latin-1")),
        dtype=_AS_WRITTEN,
        delimiter=",",
        usecols=_USED_COLUMNS,
        comments=None,
        ndmin=1,
    )
    count = lines.count(b"\n") + (not lines.endswith(b"\n"))
    if len(loaded) != count:
        raise ValueError(f"expected a row in each of {count} lines, received {len(loaded)} rows")
    return loaded


def _convert(loaded: NDArray[np.void]) -> tuple[Rows, NDArray[np.bool_]]:
    """Return the rows in our units, and which of them are possible trades."""
    rows = np.empty(len(loaded), ROW)
    rows["trade_id"], rows["price"], rows["size"] = loaded["id"], loaded["price"], loaded["size"]
    time, maker = loaded["time"], loaded["maker"]
    rows["event_us"] = np.where(time < _EARLIEST_US, time * 1000, time)
    rows["buyer_is_maker"] = (maker == b"true") | (maker == b"True")
    sound = rows["buyer_is_maker"] | (maker == b"false") | (maker == b"False")
    sound &= (time >= _EARLIEST_MS) & (time < _END_US) & (rows["trade_id"] >= 0)
    for amount in (rows["price"], rows["size"]):
        sound &= (amount > 0) & (amount < _HIGHEST)
    return rows, sound


def _damage(number: int, line: bytes, reason: str) -> FileDamage:
    expected = f"expected {COLUMNS}: ids from 0, price and quantity above 0, time in ms or µs, true or false"
    line = line.rstrip(b"\r\n")
    return FileDamage(number, line, f"{expected}; received {line[:120]!r}: {reason}")
