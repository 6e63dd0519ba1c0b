"""Selection of symbols as settings and command lines give it: names, patterns, ``all`` and ``top:50``. Pure."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from services.contracts.listings import TRADING, Listing
from services.contracts.pairs import is_symbol, venue_suffix
from services.contracts.symbol_forms import market_symbol

ALL = "all"
_TOP = re.compile(r"top:([1-9][0-9]{0,3})((?:\.[a-z]{2,12})?)")
_WILD = re.compile(r"[*?]")
# Share of its size by which a symbol has to rank better to come into a top list, or worse to leave it.
_HYSTERESIS = 0.1


def parse_item(text: str) -> str:
    """Return one item of a selection as it is written here; ValueError if it is none.

    >>> parse_item("btcusdt"), parse_item("ALL"), parse_item("Top:50"), parse_item("*usdc")
    ('BTCUSDT', 'all', 'top:50', '*USDC')
    """
    lower, upper = text.strip().lower(), text.strip().upper()
    if lower == ALL or _TOP.fullmatch(lower):
        return lower
    if _WILD.search(upper):
        if not is_symbol(_WILD.sub("AA", upper)):
            raise ValueError(f"expected a pattern such as *USDC or BTC*, received {text!r}")
        return upper
    if lower.startswith("top:"):
        raise ValueError(f"expected top: and a number from 1 to 9999, received {text!r}")
    return market_symbol(text)


def names(items: Iterable[str]) -> tuple[str, ...]:
    """Return the items that are symbols."""
    return tuple(
        item for item in items if item != ALL and not _TOP.fullmatch(item) and not _WILD.search(item)
    )


def wants_volumes(items: Iterable[str]) -> bool:
    """Tell whether it takes the volumes of the venue to resolve the items."""
    return any(_TOP.fullmatch(item) for item in items)


def resolve(
    items: Sequence[str], listed: Iterable[Listing], volumes: Mapping[str, float], before: Collection[str]
) -> list[str]:
    """Return the symbols that the items select: names always, the others of those that trade or did `before`.

    ``all``, and what names no venue, is of the first venue; ``*.OKX`` and ``top:9.okx`` are of another. ``top:50``
    takes the largest of `volumes` (24 h, in quote currency). One that was in `before` leaves only when it ranks a tenth
    below, and a new one drives it out only when it ranks a tenth above, so that equals do not take turns.
    """
    trading = [one.symbol for one in listed if one.status == TRADING or one.symbol in before]
    first = [symbol for symbol in trading if not venue_suffix(symbol)]
    chosen: dict[str, None] = {}
    for item in items:
        if item == ALL:
            found: Iterable[str] = first
        elif match := _TOP.fullmatch(item):
            size, venue = int(match[1]), match[2].upper()
            of_venue = [name for name in trading if name.endswith(venue)] if venue else first
            found = _top(size, of_venue, volumes, before)
        elif _WILD.search(item):
            found = (name for name in (trading if venue_suffix(item) else first) if fnmatchcase(name, item))
        else:
            found = (item,)
        chosen |= dict.fromkeys(found)
    return list(chosen)


def _top(
    size: int, symbols: Sequence[str], volumes: Mapping[str, float], before: Collection[str]
) -> list[str]:
    ranked = sorted((name for name in symbols if name in volumes), key=lambda name: (-volumes[name], name))
    margin = max(1, round(size * _HYSTERESIS))
    best = [
        name
        for rank, name in enumerate(ranked)
        if rank < (size + margin if name in before else size - margin)
    ][:size]
    others = (name for name in ranked if name not in best)
    return [*best, *(name for name, _ in zip(others, range(size - len(best)), strict=False))]
