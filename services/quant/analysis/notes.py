"""Notes on a pair's numbers, shown beside the verdict."""

from collections.abc import Iterator

from services.quant.analysis.evidence import Evidence, LineEvidence, is_against_returns, is_rejected
from services.quant.options import SIGNIFICANCE, Conclusion
from services.quant.statistical_tests.half_life import HalfLife, HalfLifeInterval
from services.quant.statistical_tests.hurst import Hurst
from services.quant.statistical_tests.split_lines import LEAST

_AUTOCORRELATED = 1.5
# A spread that needs a third of the sample to come half way back was hardly seen to.
_SLOW = 1 / 3
# Two prices of one asset differ by fees, funding and the dollars they are in: not by a tenth of a move.
_NEAR_ONE = 0.1


def notes(evidence: Evidence, conclusion: Conclusion) -> Iterator[str]:
    """Yield the notes, the gravest first."""
    yield from _of_the_line(evidence)
    edge = evidence.edge
    if edge is not None and edge.is_found and conclusion not in ("broken", "unstable"):
        where = "first" if edge.first == 0 else "last"
        yield (
            f"The {where} {edge.end - edge.first} bars lie {edge.statistic:.3g} standard errors off the line of all "
            "others: a break so near an end has no line of its own yet."
        )
    yield from _of_the_tests(evidence)
    yield from _of_the_spread(evidence, conclusion)
    if evidence.gaps:
        yield (
            f"{evidence.gaps} of {evidence.samples} bars are followed by a gap, the longest of {evidence.longest_gap} "
            "bars: the bars on both sides are treated as consecutive."
        )


def _of_the_line(evidence: Evidence) -> Iterator[str]:
    line = evidence.line
    if line is not None and is_against_returns(evidence):
        yield (
            f"The hedge ratio {line.hedge_ratio:.4g} has the opposite sign of the correlation of the legs' returns, "
            f"{evidence.returns_correlation:.2f}: it hedges in the long run, not from bar to bar."
        )
    if line is not None and evidence.same_asset and abs(line.hedge_ratio - 1) > _NEAR_ONE:
        yield (
            f"Both legs are {evidence.same_asset}, but the hedge ratio is {line.hedge_ratio:.4g} and not near 1 "
            f"({_interval(line)}): one of the currencies or venues they are priced in has moved by itself."
        )
    if evidence.method == "ols_origin" and (evidence.price_correlation or 0.0) < 0:
        yield (
            f"The prices are correlated by {evidence.price_correlation:.2f}, but a line through the origin of two "
            "prices rises: it is not that of these legs."
        )


def _of_the_tests(evidence: Evidence) -> Iterator[str]:
    if evidence.adf_spread and is_rejected(evidence.adf_spread) and not is_rejected(evidence.y_on_x):
        yield (
            f"ADF on the spread alone (p = {evidence.adf_spread.p_value:.3g}) would call it stationary, "
            "but that is biased, as the line was fitted to the same data: Engle-Granger corrects for it."
        )
    still = [name for name, test in (("Y", evidence.adf_y), ("X", evidence.adf_x)) if is_rejected(test)]
    if len(still) == 1:
        yield f"{still[0]} looks stationary by itself (ADF at 5 %), though cointegration is of random walks."
    elif still:
        yield (
            "Both legs look stationary by themselves (ADF at 5 %): any line leaves a spread that reverts, so "
            "cointegration says little about their relation."
        )
    if evidence.samples < LEAST:
        yield f"Tests for a break need {LEAST} bars, received {evidence.samples}: a break would not be detected."


def _of_the_spread(evidence: Evidence, conclusion: Conclusion) -> Iterator[str]:
    if evidence.half_life is not None:
        yield _half_life(evidence.half_life, evidence.half_life_interval, evidence.samples)
    if evidence.hurst is not None and conclusion in ("cointegrated", "unstable"):
        yield _hurst(evidence.hurst)
    around = evidence.innovations
    if around is not None and around.variance_ratio.p_value < SIGNIFICANCE / 5:
        yield (
            f"In the second half the spread's innovations have {around.variance_ratio.ratio:.3g} times the variance "
            f"of the first (p = {around.variance_ratio.p_value:.2g}): one z-score scale fits neither half."
        )
    if around is not None and around.arch.p_value < SIGNIFICANCE / 5:
        yield f"The spread moves in bursts (ARCH, p = {around.arch.p_value:.2g}): large z-scores come together."
    if evidence.diagnostics is not None and evidence.diagnostics.durbin_watson < _AUTOCORRELATED:
        wide = "" if evidence.line is None else f": that with HAC errors is {_interval(evidence.line)}"
        yield (
            f"The residuals are autocorrelated (Durbin-Watson {evidence.diagnostics.durbin_watson:.2f}), "
            f"so the classical interval of the hedge ratio is too narrow{wide}."
        )


def _interval(line: LineEvidence) -> str:
    return f"{line.low:.4g} to {line.high:.4g} at 95 %"


def _half_life(half_life: HalfLife, interval: HalfLifeInterval | None, samples: int) -> str:
    if half_life.samples is None:
        return f"There is no half-life: {half_life.reason}."
    if interval is None or interval.high is None:
        least = "" if interval is None or interval.low is None else f" ({interval.low:.3g} at least)"
        return (
            f"Half-life: about {half_life.samples:.3g} bars{least}, but at 95 % a random walk, which does not revert, "
            "is not excluded."
        )
    slow = (
        ", too slow for this sample to show that the spread reverts"
        if interval.high > _SLOW * samples
        else ""
    )
    ends = f"{interval.low:.3g} to {interval.high:.3g} at 95 %"
    return f"Half-life: {interval.samples:.3g} bars ({ends}){slow}."


def _hurst(hurst: Hurst) -> str:
    meaning = (
        "the spread reverts more than a random walk"
        if hurst.exponent < 0.5 - 2 * hurst.standard_error
        else "the spread trends"
        if hurst.exponent > 0.5 + 2 * hurst.standard_error
        else "the spread moves as a random walk does"
    )
    return f"Hurst's exponent is {hurst.exponent:.2f}: {meaning}."
