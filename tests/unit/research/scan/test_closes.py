"""Closes on common times: carried over few holes, and nothing before a symbol has begun."""

import numpy as np

from services.research.scan.closes import common


def bars(*at: int) -> tuple[np.ndarray, np.ndarray]:
    return np.array(at, np.int64), np.array(at, np.float64) * 10


def test_few_holes_are_filled_with_the_close_before_and_counted() -> None:
    found = common({"A": bars(*range(100)), "B": bars(*(at for at in range(100) if at not in (50, 51)))})
    assert found.symbols == ["A", "B"]
    assert found.prices[49:53].tolist() == [[490, 490], [500, 490], [510, 490], [520, 520]]
    assert found.carried == [0, 2]


def test_many_holes_leave_a_symbol_out_with_the_reason() -> None:
    found = common({"A": bars(*range(100)), "B": bars(*range(0, 100, 2))})
    assert found.symbols == ["A"]
    assert found.left_out == {"B": "bars at 50 of 100 times, at least 95% are needed"}


def test_nothing_is_taken_from_before_a_symbol_has_begun() -> None:
    found = common({"A": bars(*range(100)), "B": bars(*range(3, 100))})
    assert (found.at_us[0], found.prices[0].tolist(), found.carried) == (3, [30, 30], [0, 0])


def test_no_bars_are_no_closes() -> None:
    assert common({}).prices.shape == (0, 0)
