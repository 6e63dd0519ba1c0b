"""What the numbers of a pair mean, in plain words, by rules that are written here."""

from msgspec import Struct

from services.quant.diagnostics import Diagnostics
from services.quant.half_life import HalfLife
from services.quant.hurst import Hurst
from services.quant.options import Conclusion
from services.quant.unit_root import UnitRoot

SIGNIFICANCE = 0.05
"""Below this p-value a null hypothesis is rejected."""
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
    ways = (evidence.y_on_x, evidence.x_on_y)
    if ways[0] is None or ways[1] is None:
        return Verdict("not_enough_data", f"No verdict: {reason or 'the legs could not be tested'}.", [])
    found = [_rejected(way) for way in ways]
    tested = f"Engle-Granger p = {ways[0].p_value:.3g} (Y on X) and {ways[1].p_value:.3g} (X on Y)"
    notes = _notes(evidence)
    if _rejected(evidence.adf_y) and _rejected(evidence.adf_x):
        text = (
            f"Each leg comes back to its mean by itself, so cointegration says nothing of the pair: {tested}."
        )
        return Verdict("legs_stationary", text, notes)
    if all(found):
        return Verdict("cointegrated", f"The legs are cointegrated at 5 %, both ways round: {tested}.", notes)
    if any(found):
        text = f"Only one way round the legs look cointegrated at 5 %, which is weak evidence: {tested}."
        return Verdict("one_way", text, notes)
    return Verdict("not_cointegrated", f"No cointegration was found at 5 %: {tested}.", notes)


def _rejected(test: UnitRoot | None) -> bool:
    return test is not None and test.p_value < SIGNIFICANCE


def _notes(evidence: Evidence) -> list[str]:
    notes = []
    if evidence.adf_spread and _rejected(evidence.adf_spread) and not _rejected(evidence.y_on_x):
        notes.append(
            f"ADF on the spread alone (p = {evidence.adf_spread.p_value:.3g}) would call it stationary, "
            "but the line was fitted to make it look so: Engle-Granger allows for that."
        )
    for name, test in (("Y", evidence.adf_y), ("X", evidence.adf_x)):
        if _rejected(test):
            notes.append(
                f"{name} looks stationary by itself (ADF at 5 %), though cointegration is of random walks."
            )
    if evidence.half_life is not None:
        notes.append(_half_life(evidence.half_life, evidence.samples))
    if evidence.hurst is not None:
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
