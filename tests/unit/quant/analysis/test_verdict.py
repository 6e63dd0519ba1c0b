"""Verdicts: each where it should be, and seldom elsewhere: the short form of benchmarks/statistics.py."""

from collections import Counter

import numpy as np
import pytest
from msgspec import structs

from services.quant.analysis.evidence import Evidence, LineEvidence, is_rejected
from services.quant.analysis.pair_analysis import Analysis, analyse
from services.quant.analysis.verdict import judge
from services.quant.options import AnalysisOptions, Conclusion
from services.quant.statistical_tests.breaks import Edge, StructuralBreak
from services.quant.statistical_tests.gregory_hansen import CRITICAL_VALUES, GregoryHansen
from services.quant.statistical_tests.instability import Cusum, Slope, Thirds
from services.quant.statistical_tests.unit_root import UnitRoot
from tests.unit.quant import tapes
from tests.unit.quant.tapes import Make

CLAIMS = ("cointegrated", "broken", "unstable")
CRITICAL = {"1%": -3.92, "5%": -3.35, "10%": -3.05}
HOLDS, FAILS = (UnitRoot(statistic, 0.5, 0, 499, CRITICAL) for statistic in (-5.0, -2.0))
IN_PARTS = GregoryHansen(-6.0, 250, 0, 499, CRITICAL_VALUES)
BREAK = StructuralBreak(50.0, 16.0, 250, 1.0, 0.0, 1.2, 5.0)
EDGE = Edge(6.0, 4.0, 475, 500)
THIRDS = Thirds(
    40.0, 16.0, [Slope(0, 166, 1.0, 0.01), Slope(166, 167, 1.3, 0.01), Slope(333, 167, 1.0, 0.01)]
)
CUSUM = Cusum(1.6, 300, 12, {"1%": 1.43, "5%": 1.18, "10%": 1.05})
BOTH = Evidence(samples=500, y_on_x=HOLDS, x_on_y=HOLDS)
NEITHER = Evidence(samples=500, y_on_x=FAILS, x_on_y=FAILS)


def found(make: Make, runs: int, n: int = 500) -> list[Analysis]:
    random = np.random.default_rng(12)
    return [analyse(*make(random, n), AnalysisOptions()) for _ in range(runs)]


def conclusions(make: Make, runs: int, n: int = 500) -> Counter[str]:
    return Counter(one.verdict.conclusion for one in found(make, runs, n))


@pytest.mark.parametrize(
    ("evidence", "conclusion"),
    [
        (BOTH, "cointegrated"),
        (structs.replace(BOTH, x_on_y=FAILS), "one_way"),
        (NEITHER, "not_cointegrated"),
        (structs.replace(BOTH, structural_break=BREAK), "broken"),
        (structs.replace(BOTH, structural_break=structs.replace(BREAK, statistic=15.9)), "cointegrated"),
        (structs.replace(NEITHER, structural_break=BREAK), "not_cointegrated"),
        (
            structs.replace(NEITHER, structural_break=BREAK, gregory_hansen_y_on_x=IN_PARTS),
            "not_cointegrated",
        ),
        (
            structs.replace(
                NEITHER,
                structural_break=BREAK,
                gregory_hansen_y_on_x=IN_PARTS,
                gregory_hansen_x_on_y=IN_PARTS,
            ),
            "broken",
        ),
        (structs.replace(BOTH, thirds=THIRDS), "unstable"),
        (structs.replace(NEITHER, thirds=THIRDS), "not_cointegrated"),
        (structs.replace(BOTH, cusum=CUSUM), "unstable"),
        (structs.replace(BOTH, cusum=structs.replace(CUSUM, statistic=1.4)), "cointegrated"),
        (structs.replace(BOTH, edge=EDGE), "unstable"),
        (structs.replace(NEITHER, edge=EDGE), "not_cointegrated"),
        (structs.replace(NEITHER, edge=EDGE, rest_holds=True), "unstable"),
        (structs.replace(BOTH, line=LineEvidence(-3.3, -3.5, -3.1), returns_correlation=0.8), "unstable"),
        (structs.replace(BOTH, line=LineEvidence(-3.3, -3.5, -3.1), returns_correlation=0.1), "cointegrated"),
        (structs.replace(BOTH, line=LineEvidence(-3.3, -7.5, 0.9), returns_correlation=0.8), "cointegrated"),
        (structs.replace(BOTH, adf_y=HOLDS, adf_x=HOLDS), "cointegrated"),
    ],
)
def test_the_rules(evidence: Evidence, conclusion: Conclusion) -> None:
    assert judge(evidence).conclusion == conclusion


def test_a_verdict_names_dates_as_it_is_told_to() -> None:
    said = judge(structs.replace(BOTH, structural_break=BREAK), moment=lambda bar: f"noon of day {bar}").text
    assert "broke at noon of day 250: the hedge ratio was 1 before and is 1.2 since (sup-Wald 50" in said
    said = judge(structs.replace(BOTH, edge=EDGE, cusum=CUSUM)).text
    assert "up to bar 301 the spread was on one side for too long" in said
    assert "the 25 bars from bar 476 on lie 6 standard errors off the line of all others" in said


def test_legs_that_come_back_by_themselves_are_a_note_that_overrules_nothing() -> None:
    said = judge(structs.replace(BOTH, adf_y=HOLDS, adf_x=HOLDS))
    assert "Both legs look stationary by themselves" in said.notes[0]
    assert not any("proves nothing" in note for note in said.notes)
    assert "Y looks stationary by itself" in judge(structs.replace(BOTH, adf_y=HOLDS)).notes[0]


def test_an_edge_without_the_rest_is_a_note() -> None:
    said = judge(structs.replace(NEITHER, edge=EDGE))
    assert any(
        "The last 25 bars lie 6 standard errors off the line of all others" in note for note in said.notes
    )


def test_two_prices_of_one_asset_hold_near_1_to_1() -> None:
    far = structs.replace(BOTH, line=LineEvidence(1.4, 1.3, 1.5), same_asset="BTC")
    assert (
        "Both legs are BTC, but the hedge ratio is 1.4 and not near 1 (1.3 to 1.5 at 95 %)"
        in judge(far).notes[0]
    )
    assert not judge(structs.replace(far, line=LineEvidence(1.02, 1.01, 1.03))).notes
    assert not judge(structs.replace(far, same_asset=None)).notes


def test_a_line_through_the_origin_warns_where_the_prices_run_against_each_other() -> None:
    against = structs.replace(BOTH, method="ols_origin", price_correlation=-0.6)
    assert "correlated by -0.60, but a line through the origin" in judge(against).notes[0]
    assert not judge(structs.replace(against, method="ols")).notes
    assert not judge(structs.replace(against, price_correlation=0.6)).notes


def test_independent_walks_are_seldom_said_to_belong_together() -> None:
    told = conclusions(tapes.independent, 120)
    assert sum(told[claim] for claim in CLAIMS) <= 8


@pytest.mark.parametrize("make", [tapes.bent(0.0), tapes.turned(0.0), tapes.turned(0.8)])
def test_a_slope_that_changes_half_way_is_named_with_its_date(make: Make) -> None:
    told = found(make, 40)
    named = [one for one in told if one.verdict.conclusion in ("broken", "unstable")]
    assert len(named) >= 36
    dates = [one.structural_break.at for one in named if one.structural_break is not None]
    assert np.median(np.abs(np.array(dates) - 250)) <= 20


@pytest.mark.parametrize("make", [tapes.stable(0.0), tapes.stable(0.8), tapes.stable_clustered(0.5)])
def test_stable_pairs_are_seldom_said_to_have_broken(make: Make) -> None:
    told = conclusions(make, 60)
    assert told["broken"] + told["unstable"] <= 6
    assert told["cointegrated"] >= 50


def test_a_peg_that_breaks_and_comes_back_is_not_called_cointegrated() -> None:
    fooled = 0
    for seed in range(20):
        y, x = tapes.depegged(np.random.default_rng(seed), 500)
        one = analyse(y, x, AnalysisOptions(), same_asset="BTC")
        assert one.regression is not None
        assert one.regression.hedge_ratio < -2
        fooled += is_rejected(one.engle_granger_y_on_x) and is_rejected(one.engle_granger_x_on_y)
        assert one.verdict.conclusion != "cointegrated"
        assert "the opposite sign of the correlation of the legs' returns" in one.verdict.notes[0]
        assert "Both legs are BTC" in one.verdict.notes[1]
    # Engle-Granger alone takes nearly all of them for one line.
    assert fooled >= 15


@pytest.mark.parametrize("make", [tapes.turned(0.0, share=0.96), tapes.turned(0.5, share=0.96)])
def test_a_break_in_the_last_bars_is_named_though_it_has_no_line_yet(make: Make) -> None:
    told = found(make, 20)
    assert not [one for one in told if one.verdict.conclusion == "cointegrated"]
    assert sum(one.verdict.conclusion in ("unstable", "broken") for one in told) >= 15
