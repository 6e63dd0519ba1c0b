"""Text on the mean reversion of a spread."""

from services.contracts.messages import ReversionState, Signal
from services.ui.widgets.formatting import number, significant_decimals

_MEANING: dict[ReversionState, str] = {
    "reverting": "the spread is seen to revert",
    "unproven": "the spread was not shown to revert",
    "broken": "the spread has left the line it reverted to",
}


def meaning(state: ReversionState | None) -> str:
    """Return what is seen of the spread; empty of a word that a newer API has."""
    return "" if state is None else _MEANING.get(state, "")


def life(signal: Signal) -> str:
    """Return the half-life and, on a line of its own, its interval with the p-value; empty if nothing was tested."""
    if signal.cointegration_p is None:
        return ""
    half_life = (
        "no half-life" if signal.half_life_s is None else f"half-life {_seconds(signal.half_life_s)} s"
    )
    p_value = f"p {_probability(signal.cointegration_p)}"
    if signal.half_life_low_s is None:
        return f"{half_life}\n{p_value}"
    high = "no end" if signal.half_life_high_s is None else f"{_seconds(signal.half_life_high_s)} s"
    return f"{half_life}\n{_seconds(signal.half_life_low_s)} to {high}, {p_value}"


def _seconds(value: float) -> str:
    return number(value, significant_decimals(value, 2))


def _probability(value: float) -> str:
    """Return a p-value with the digits that tell it from 0 and from 5 %.

    >>> _probability(0.18), _probability(0.0496), _probability(2e-8)
    ('0.18', '0.0496', '< 0.001')
    """
    if value < 0.001:
        return "< 0.001"
    return next(
        text for digits in range(2, 12) if float(text := f"{value:.{digits}g}") != 0.05 or value == 0.05
    )
