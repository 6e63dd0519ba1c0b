"""Files of one upload that would become one symbol though their prices differ: refused, asking whose they are."""

from collections.abc import Sequence

import numpy as np

from services.datasets.blocks import BAR, Bars
from services.datasets.questions import Question, UnclearFileError
from services.datasets.sources import FileSource

_PRICES = ("open", "high", "low", "close")
# As `statements.CONFLICTS` for stored bars: prices differ by more, at half of the common times or at more of them.
_TOLERANCE = 1e-6


def require_same_prices(
    first: FileSource, other: FileSource, line: int, symbol: str, both_have: int, unlike: int
) -> None:
    """Return if each of two files was told its symbol; UnclearFileError names what both have of `symbol`.

    `line` is of the first bar in `other` whose time is in `first` too; `unlike` of `both_have` bars differ.
    """
    if first.symbol and other.symbol and first.file is not other.file:
        return
    detail = (
        f"expected other times than those in {first.name}, or the same bars, received {symbol} with other "
        f"prices at {unlike:,} of {both_have:,} times that both have: say by symbols= what each file is of"
    )
    raise UnclearFileError(other.name, detail, Question("symbols", []), line)


def require_one_contract(sources: Sequence[FileSource], bars: Sequence[Bars], symbols: Sequence[str]) -> None:
    """Return if no two files have other prices of one symbol at the same times; `bars` are those of each file."""
    files = np.repeat(np.arange(len(bars)), [len(some) for some in bars])
    rows = np.concatenate([np.empty(0, BAR), *bars])
    order = np.lexsort((files, rows["start_us"], rows["symbol"]))
    rows, files = rows[order], files[order]
    new = np.ones(len(rows), bool)
    new[1:] = (np.diff(rows["symbol"]) != 0) | (np.diff(rows["start_us"]) != 0)
    firsts = np.flatnonzero(new)[np.cumsum(new) - 1] if len(rows) else np.empty(0, int)
    differ = np.any(
        [np.abs(rows[name] - rows[name][firsts]) > _TOLERANCE * rows[name] for name in _PRICES], axis=0
    )
    both = np.flatnonzero(files != files[firsts])
    keys = np.stack((rows["symbol"][both], files[firsts][both], files[both]))
    pairs, which, both_have = np.unique(keys, axis=1, return_inverse=True, return_counts=True)
    unlike = np.bincount(which, differ[both], minlength=len(both_have))
    line = np.full(len(both_have), np.iinfo(np.int64).max)
    np.minimum.at(line, which, rows["line"][both])
    for index in np.flatnonzero(2 * unlike >= both_have).tolist():
        symbol, first, other = pairs[:, index].tolist()
        require_same_prices(
            *(sources[first], sources[other], int(line[index])),
            *(symbols[symbol], int(both_have[index]), int(unlike[index])),
        )
