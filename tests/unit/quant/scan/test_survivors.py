"""Tests of survivors: what stands them, what does not, and what they are equal to."""

import numpy as np
import pytest

from services.quant.scan.scan import ScanOptions, scan
from services.quant.scan.survivors import broken, held_out_p_values, trace
from services.quant.statistical_tests.unit_root import engle_granger
from tests.unit.quant.scan.test_scan import planted, walks


def test_the_part_held_out_is_tested_as_one_pair_alone_is() -> None:
    rest = planted(3)[840:]
    found = held_out_p_values(rest, [(1, 0), (3, 2)], "c", "aic")
    for (y, x), p_value in found.items():
        ways = [engle_granger(rest[:, a], rest[:, b]).p_value for a, b in ((y, x), (x, y))]
        assert p_value == pytest.approx(max(ways), rel=1e-6)
    assert found[1, 0] < 0.05 < found[3, 2]
    assert held_out_p_values(rest, [], "c", "aic") == {}


def test_a_leg_that_stands_still_in_the_part_held_out_has_no_test_there() -> None:
    rest = walks(1, 200, 3)
    rest[:, 1] = 5.0
    assert set(held_out_p_values(rest, [(0, 1), (0, 2)], "c", 1)) == {(0, 2)}


def test_the_trace_has_no_way_round() -> None:
    prices = planted(3)[:840]
    held, free = trace(prices[:, 1], prices[:, 0], "c", 2), trace(prices[:, 5], prices[:, 0], "c", 2)
    turned = trace(prices[:, 0], prices[:, 1], "c", 2)
    assert held is not None
    assert free is not None
    assert turned is not None
    assert held.statistic == pytest.approx(turned.statistic, rel=1e-6)
    assert held.is_rejected
    assert not free.is_rejected


def test_a_break_of_the_line_is_found_and_what_has_no_test_is_none() -> None:
    prices = walks(2, 600, 2)
    noise = 0.05 * np.random.default_rng(1).standard_normal(600)
    slopes = np.where(np.arange(600) < 300, 0.7, 1.2)
    found = broken(slopes * prices[:, 0] + noise, prices[:, 0])
    assert found is not None
    assert found.is_found
    assert abs(found.at - 300) < 5
    steady = broken(0.7 * prices[:, 0] + noise, prices[:, 0])
    assert steady is not None
    assert not steady.is_found
    assert broken(noise[:40], prices[:40, 0]) is None


def test_a_survivor_that_is_not_confirmed_says_why() -> None:
    found = scan(planted(3), ScanOptions())
    confirmed, corrected = (
        next(pair for pair in found.pairs if pair.stage == stage) for stage in ("confirmed", "corrected")
    )
    assert confirmed.against is None
    assert confirmed.trace is not None
    assert "in the part held out" in str(corrected.against)
    assert all(pair.held_out_p is None for pair in found.pairs[2:])
