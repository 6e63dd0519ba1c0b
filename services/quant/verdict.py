"""What the numbers of a pair mean, in plain words, by rules that are written here."""

from msgspec import Struct

from services.quant.diagnostics import Diagnostics
from services.quant.half_life import HalfLife
from services.quant.hurst import Hurst
from services.quant.options import Conclusion
from services.quant.unit_root import UnitRoot

SIGNIFICANCE = 0.05
"""A null hypothesis is rejected below the critical value of this level or, without one, below this p-value."""
_LEVEL = "5%"
_AUTOCORRELATED = 1.5
# A spread that needs a third of the sample to come half way back was hardly seen to.
_SLOW = 1 / 3


class Verdict(Struct, frozen=True):
    """`conclusion` in a word, `text` in a sentence, and in `notes` what to keep in mind."""

    conclusion: Conclusion
    text: str
    notes: list[str]


class Evidence(Struct, frozen=True, kw_only=True):
    """What a verdict is made of; None is what could not be computed, `samples` the number of bars."""

    samples: int
    y_on_x: UnitRoot | None
    x_on_y: UnitRoot | None
    adf_y: UnitRoot | None
    adf_x: UnitRoot | None
    adf_spread: UnitRoot | None
    half_life: HalfLife | None
    hurst: Hurst | None
    diagnostics: Diagnostics | None


def judge(evidence: Evidence, reason: str | None = None) -> Verdict:
    """Return the verdict; `reason` says why the legs cannot be tested for cointegration.

    Engle-Granger decides, both ways round, at 5 %: ``cointegrated``, ``one_way`` or ``not_cointegrated``. Where each
    leg by itself is stationary (ADF at 5 %) the question makes no sense: ``legs_stationary``.
    """
    y_on_x, x_on_y = evidence.y_on_x, evidence.x_on_y
    if y_on_x is None or x_on_y is None:
        return Verdict("not_enough_data", f"No verdict: {reason or 'the legs could not be tested'}.", [])
    conclusion, meaning = _conclude(evidence, y_on_x, x_on_y)
    tested = f"Engle-Granger {_said(y_on_x)} (Y on X) and {_said(x_on_y)} (X on Y)"
    if y_on_x.critical_values is not None:
        tested += f", critical value {y_on_x.critical_values[_LEVEL]:.4g}"
    return Verdict(conclusion, f"{meaning}: {tested}.", _notes(evidence, conclusion))


def _conclude(evidence: Evidence, *ways: UnitRoot) -> tuple[Conclusion, str]:
    if _rejected(evidence.adf_y) and _rejected(evidence.adf_x):
        return (
            "legs_stationary",
            "Each leg comes back to its mean by itself, so cointegration says nothing of the pair",
        )
    found = [_rejected(way) for way in ways]
    if all(found):
        return "cointegrated", "The legs are cointegrated at 5 %, both ways round"
    if any(found):
        return "one_way", "Only one way round the legs look cointegrated at 5 %, which is weak evidence"
    return "not_cointegrated", "No cointegration was found at 5 %"


def _said(test: UnitRoot) -> str:
    return f"{test.statistic:.4g}, p = {test.p_value:.3g}"


def _rejected(test: UnitRoot | None) -> bool:
    if test is None:
        return False
    if test.critical_values is None:
        return test.p_value < SIGNIFICANCE
    return test.statistic < test.critical_values[_LEVEL]


def _notes(evidence: Evidence, conclusion: Conclusion) -> list[str]:
    notes = []
    holds = _rejected(evidence.y_on_x)
    if evidence.adf_spread and _rejected(evidence.adf_spread) and not holds:
        notes.append(
            f"ADF on the spread alone (p = {evidence.adf_spread.p_value:.3g}) would call it stationary, "
            "but the line was put where the spread is small: Engle-Granger allows for that."
        )
    for name, test in (("Y", evidence.adf_y), ("X", evidence.adf_x)):
        if _rejected(test):
            notes.append(
                f"{name} looks stationary by itself (ADF at 5 %), though cointegration is of random walks."
            )
    if evidence.half_life is not None:
        notes.append(_half_life(evidence.half_life, evidence.samples))
        if evidence.half_life.samples is not None and conclusion != "cointegrated":
            notes.append("A random walk shows a half-life, too: without cointegration it proves nothing.")
    if evidence.hurst is not None and holds:
        notes.append(_hurst(evidence.hurst))
    if evidence.diagnostics is not None and evidence.diagnostics.durbin_watson < _AUTOCORRELATED:
        notes.append(
            f"The residuals are autocorrelated (Durbin-Watson {evidence.diagnostics.durbin_watson:.2f}), "
            "so the interval of the hedge ratio is too narrow."
        )
    return notes


def _half_life(half_life: HalfLife, samples: int) -> str:
    if half_life.samples is None:
        return f"There is no half-life: {half_life.reason}."
    slow = (
        ", too slow for this sample to show that it comes back" if half_life.samples > _SLOW * samples else ""
    )
    return f"Half of a deviation is gone after {half_life.samples:.3g} bars{slow}."


def _hurst(hurst: Hurst) -> str:
    meaning = (
        "the spread comes back more than a random walk"
        if hurst.exponent < 0.5 - 2 * hurst.standard_error
        else "the spread trends"
        if hurst.exponent > 0.5 + 2 * hurst.standard_error
        else "the spread moves as a random walk does"
    )
    return f"Hurst's exponent is {hurst.exponent:.2f}: {meaning}."
