"""Worked examples of docs/statistics.md, on real series and simulations, computed again."""

import doctest
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from arch.data import crude
from arch.unitroot.cointegration import engle_granger as of_arch

from benchmarks.statistics import DOCUMENT, RESULT, documented, tables
from services.quant.statistical_tests.unit_root import engle_granger


def test_the_examples_of_the_page_hold() -> None:
    result = doctest.testfile(str(Path(DOCUMENT)), module_relative=False, encoding="utf-8")
    assert result.attempted >= 10
    assert not result.failed


@pytest.mark.parametrize("lags", [0, 3])
def test_a_real_pair_has_the_statistic_that_arch_finds(lags: int) -> None:
    prices = np.log(crude.load())
    expected = of_arch(prices["Brent"], prices["WTI"], trend="c", lags=lags)
    found = engle_granger(prices["Brent"].to_numpy(), prices["WTI"].to_numpy(), "c", lags)
    assert found.statistic == pytest.approx(expected.stat, rel=1e-9)


def test_the_tables_of_the_page_are_those_that_were_measured() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert documented(text, tables(json.loads(RESULT.read_text(encoding="utf-8")))) == text


def test_what_was_measured_is_what_was_promised() -> None:
    rows = json.loads(RESULT.read_text(encoding="utf-8"))["verdicts"]

    def share(row: Any, *conclusions: str) -> float:
        return float(sum(row["told"].get(name, 0.0) for name in conclusions))

    def error(of: float, runs: int) -> float:
        return 2 * math.sqrt(of * (1 - of) / runs)

    for row in rows:
        if row["truth"] == "independent":
            assert share(row, "cointegrated", "broken", "unstable") <= 0.06
        if row["truth"] == "stable" and row["bars"] >= 500:
            assert share(row, "broken", "unstable") <= 0.07 + error(0.07, row["runs"])
    named = {row["name"]: row for row in rows if row["truth"] == "broken"}
    for name in ("slope 1 to 1.2, b = 0", "slope 1 to 1.2, b = 0.5", "slope 1 to 1.2 with a jump, b = 0"):
        assert share(named[name], "broken", "unstable") >= 0.9 - error(0.9, named[name]["runs"])
