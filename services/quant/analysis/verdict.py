"""Verdict on a pair in plain words, by rules that stand here; docs/statistics.md measures them."""

from collections.abc import Callable, Iterator

from msgspec import Struct

from services.quant.analysis.evidence import LEVEL, Evidence, is_against_returns, is_rejected
from services.quant.analysis.notes import notes
from services.quant.options import Conclusion
from services.quant.statistical_tests.unit_root import UnitRoot

Moment = Callable[[int], str]
"""Name of the bar with a given number."""


_TESTS = {"sup_wald": "sup-Wald", "exp_wald": "exp-Wald of innovations"}


class Verdict(Struct, frozen=True):
    """`conclusion` in a word, `text` in a sentence, and in `notes` what to keep in mind."""

    conclusion: Conclusion
    text: str
    notes: list[str]


def bar_number(bar: int) -> str:
    """Return what a bar is called without its time: its number, from 1 on."""
    return f"bar {bar + 1}"


def judge(evidence: Evidence, reason: str | None = None, moment: Moment = bar_number) -> Verdict:
    """Return the verdict; `reason` says why the legs cannot be tested for cointegration.

    Engle-Granger decides whether the legs belong together, at 5 %, and both ways round: the worse counts. Whether one
    line holds them all along the tests for breaks decide, each by its own critical value.

    - ``broken``: two lines are needed, with a date between them, and Engle-Granger or, where the break hides it,
      Gregory-Hansen rejects both ways round.
    - ``unstable``: Engle-Granger rejects, but thirds, CUSUM (1 %), the first or last bars or the sign of the hedge
      ratio speak against one line. What only the first or last bars hide from Engle-Granger is this, too.
    - ``cointegrated``: Engle-Granger rejects, and nothing speaks against one line.
    - ``one_way``, ``not_cointegrated``: it rejects one way round, or none.
    """
    y_on_x, x_on_y = evidence.y_on_x, evidence.x_on_y
    if y_on_x is None or x_on_y is None:
        return Verdict("not_enough_data", f"No verdict: {reason or 'the legs could not be tested'}.", [])
    conclusion, meaning = _conclude(evidence, moment)
    tested = f"Engle-Granger {_said(y_on_x)} (Y on X) and {_said(x_on_y)} (X on Y)"
    if y_on_x.critical_values is not None:
        tested += f", critical value {y_on_x.critical_values[LEVEL]:.4g}"
    return Verdict(conclusion, f"{meaning}: {tested}.", list(notes(evidence, conclusion)))


def _conclude(evidence: Evidence, moment: Moment) -> tuple[Conclusion, str]:
    ways = [is_rejected(evidence.y_on_x), is_rejected(evidence.x_on_y)]
    in_parts = is_rejected(evidence.gregory_hansen_y_on_x) and is_rejected(evidence.gregory_hansen_x_on_y)
    one, edge = evidence.structural_break, evidence.edge
    if one is not None and one.is_found and (all(ways) or in_parts):
        return "broken", (
            f"The line of the legs broke at {moment(one.at)}: the hedge ratio was {one.hedge_ratio_before:.4g} before "
            f"and is {one.hedge_ratio_after:.4g} since ({_TESTS[one.test]} {one.statistic:.4g}, critical value "
            f"{one.critical_value:.4g})"
        )
    if all(ways) or (edge is not None and edge.is_found and evidence.rest_holds):
        against = list(_against_one_line(evidence, moment))
        if against:
            return "unstable", f"No one line holds the legs all along, because {'; '.join(against)}"
        return "cointegrated", "The legs are cointegrated at 5 %, both ways round, and no break was found"
    if any(ways):
        return "one_way", "Only one way round the legs look cointegrated at 5 %, which is not enough"
    return "not_cointegrated", "No cointegration was found at 5 %"


def _against_one_line(evidence: Evidence, moment: Moment) -> Iterator[str]:
    edge, thirds, cusum = evidence.edge, evidence.thirds, evidence.cusum
    if thirds is not None and thirds.is_found:
        slopes = ", ".join(f"{slope.hedge_ratio:.4g}" for slope in thirds.slopes)
        yield (
            f"the hedge ratios of its thirds are {slopes} (Wald {thirds.statistic:.4g}, critical value "
            f"{thirds.critical_value:.4g})"
        )
    if cusum is not None and cusum.statistic > cusum.critical_values["1%"]:
        yield (
            f"up to {moment(cusum.at)} the spread was on one side for too long (CUSUM {cusum.statistic:.4g}, critical "
            f"value at 1 % {cusum.critical_values['1%']:.4g})"
        )
    if edge is not None and edge.is_found:
        where = f"up to {moment(edge.end - 1)}" if edge.first == 0 else f"from {moment(edge.first)} on"
        yield (
            f"the {edge.end - edge.first} bars {where} lie {edge.statistic:.3g} standard errors off the line of "
            "all others"
        )
    if is_against_returns(evidence):
        yield "the sign of the hedge ratio is against the correlation of the legs' returns"


def _said(test: UnitRoot) -> str:
    return f"{test.statistic:.4g}, p = {test.p_value:.3g}"
