"""A scan finds planted pairs, says of noise that it is noise, and says how many it tried."""

from typing import Any

import numpy as np
import pytest

from services.quant.scan.scan import ScanOptions, scan
from services.quant.statistical_tests.unit_root import engle_granger

Prices = np.ndarray[Any, np.dtype[np.float64]]


def walks(seed: int, times: int, symbols: int) -> Prices:
    return 100 + np.cumsum(0.1 * np.random.default_rng(seed).standard_normal((times, symbols)), axis=0)


def planted(seed: int, times: int = 1_200, symbols: int = 12) -> Prices:
    """Return walks of which column 1 is held to column 0, and column 3 to column 2 until the last third."""
    prices, draw = walks(seed, times, symbols), np.random.default_rng(seed + 1)
    spread = np.zeros((times, 2))
    for at in range(1, times):
        spread[at] = 0.8 * spread[at - 1] + 0.05 * draw.standard_normal(2)
    prices[:, 1] = 0.7 * prices[:, 0] + spread[:, 0]
    broken = np.cumsum(np.where(np.arange(times) < 2 * times // 3, 0, 0.1) * draw.standard_normal(times))
    prices[:, 3] = 1.3 * prices[:, 2] + spread[:, 1] + broken
    return prices


def test_planted_pairs_are_found_and_only_what_lasts_is_confirmed() -> None:
    found = scan(planted(3), ScanOptions())
    assert found.tried == 12 * 11 // 2
    first = {frozenset((pair.y, pair.x)): pair for pair in found.pairs[:2]}
    assert set(first) == {frozenset((0, 1)), frozenset((2, 3))}
    assert found.corrected == 2
    assert found.confirmed == 1
    lasting = first[frozenset((0, 1))]
    assert lasting.held_out_p is not None
    assert lasting.held_out_p < 0.05
    assert lasting.half_life == pytest.approx(np.log(0.5) / np.log(0.8), rel=0.3)


def test_the_numbers_are_those_of_one_pair_alone() -> None:
    prices = planted(5)
    options = ScanOptions(held_out=0.25)
    found = scan(prices, options)
    cut = len(prices) - int(0.25 * len(prices))
    for pair in found.pairs[:5]:
        ways = [
            engle_granger(prices[:cut, one], prices[:cut, other]).p_value
            for one, other in ((pair.y, pair.x), (pair.x, pair.y))
        ]
        assert ways[0] <= ways[1]
        assert pair.p_value == pytest.approx(max(ways), rel=1e-6)
    assert [pair.p_value for pair in found.pairs] == sorted(pair.p_value for pair in found.pairs)


def test_of_noise_hardly_anything_is_left() -> None:
    found = [scan(walks(seed, 400, 10), ScanOptions(lags=1)) for seed in range(30)]
    assert sum(one.tried for one in found) == 30 * 45
    assert sum(one.corrected for one in found) <= 4
    assert sum(one.confirmed for one in found) <= 1


def test_columns_that_cannot_be_tested_have_reasons() -> None:
    prices = walks(1, 200, 4)
    prices[:, 2] = 5.0
    prices[:, 3] = 2 * prices[:, 0]
    found = scan(prices, ScanOptions())
    assert set(found.reasons) == {(2,), (0, 3), (3, 0)}
    assert found.tried == 2


def test_too_short_a_part_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 30 bars in each part, received 63 and, held out, 27"):
        scan(walks(1, 90, 3), ScanOptions())
