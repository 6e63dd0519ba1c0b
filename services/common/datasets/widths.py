"""Which bars can be put together of others."""

from services.common.store import INTERVALS, WIDTHS, Interval


def wider_than(width_us: int) -> list[Interval]:
    """Return the intervals whose bars are whole numbers of bars of `width_us`.

    >>> wider_than(60_000_000), wider_than(7_000_000)
    (['5m', '1h'], [])
    """
    return [name for name in INTERVALS if WIDTHS[name] > width_us and WIDTHS[name] % width_us == 0]
