"""Tables of a dataset's bars, and the wider intervals that are aggregated from them."""

from services.contracts.intervals import INTERVALS, WIDTHS_US, Interval


def wider_than(width_us: int) -> list[Interval]:
    """Return the intervals whose bars are whole numbers of bars of `width_us`, finest first.

    >>> wider_than(60_000_000), wider_than(7_000_000)
    (['5m', '1h'], [])
    """
    return [name for name in INTERVALS if WIDTHS_US[name] > width_us and WIDTHS_US[name] % width_us == 0]


def bars_relation(dataset_id: str, wider: Interval | None = None) -> str:
    """Return the name of the table of the bars as they came, or of those put together to `wider` ones.

    >>> bars_relation("d"), bars_relation("d", "1h")
    ('dataset_bars_d', 'dataset_bars_d_1h')
    """
    return f"dataset_bars_{dataset_id}" + (f"_{wider}" if wider else "")
