"""Rows of the table of all pairs."""

from collections.abc import Mapping

from services.contracts.messages import Signal
from services.ui.api.types import HandledAlert, ZscoreLine
from services.ui.state.pair_state import PairState
from services.ui.widgets import reversion_text
from services.ui.widgets.batched_elements import Row
from services.ui.widgets.formatting import (
    NONE,
    correlation,
    moment,
    number,
    significant_decimals,
    zscore,
)

HALF = 50
"""Height of a line above its middle, which is z = 0."""
# The entry thresholds are in sight, with a little room beyond them.
_REACH = 1.25
_BP = 10_000


def rows(
    states: Mapping[str, PairState],
    lines: Mapping[str, ZscoreLine],
    alerts: Mapping[str, HandledAlert],
    zone: str,
) -> dict[str, Row]:
    """Return a row for each pair; `alerts` are the newest one of each."""
    return {name: row(one, lines.get(name), alerts.get(name), zone) for name, one in states.items()}


def row(one: PairState, line: ZscoreLine | None, alert: HandledAlert | None, zone: str) -> Row:
    """Return the row of a pair."""
    signal, pair = one.signal, one.pair
    size = None if one.zscore is None else abs(one.zscore)
    rank = signal.zscore_rank if signal else None
    returns = signal.return_correlation if signal else None
    half_life = signal.half_life_s if signal else None
    reversion = signal.reversion if signal else None
    bp = _basis_points(one)
    heights, entry = _heights(line.zscores if line else (), pair.entry_z)
    state = _state(one)
    return {
        "id": pair.pair,
        "pair": pair.pair,
        "z": size,
        "rank": rank,
        "line": heights,
        "entry": entry,
        "reversion": reversion,
        "half_life": half_life,
        "life": (reversion_text.life(signal) if signal else "").replace("\n", ", "),
        "returns": returns,
        "bp": bp,
        "alert": alert.event_us if alert else None,
        "told": alert.message if alert else "",
        "state": state,
        "kinds": _kinds(one),
        "is_old": one.is_old,
        "is_beyond": size is not None and size >= pair.entry_z,
        "is_firing": one.firing is not None,
        "text": {
            "z": NONE if size is None else zscore(size, pair.entry_z, pair.exit_z, sign=False),
            "rank": NONE if rank is None else f"{number(int(1000 * rank) / 10, 1)} %",
            "reversion": reversion or NONE,
            "half_life": NONE
            if half_life is None
            else f"{number(half_life, significant_decimals(half_life, 2))} s",
            "returns": _returns(signal),
            "bp": NONE if bp is None else number(bp, 1, sign=True),
            "alert": _alert(one, alert, zone),
            "state": state,
        },
    }


def _returns(signal: Signal | None) -> str:
    """Return the correlation of returns; of a clipped one only the side is known."""
    if signal is None or signal.return_correlation is None:
        return NONE
    beyond = ("≥ " if signal.return_correlation > 0 else "≤ ") if signal.return_correlation_clipped else ""
    return f"{beyond}{correlation(signal.return_correlation)}"


def _state(one: PairState) -> str:
    match one.condition:
        case "ok":
            return "Live" if one.firing is None else "Live, alerting"
        case "paused":
            return "Paused"
        case "waiting":
            return "No signal yet"
        case "collecting":
            return one.reason
        case "lost":
            return f"Last known: {one.reason}" if one.signal is None else "Last known: the stream is lost"
        case "stale":
            return f"Stale: {one.reason}"


def _kinds(one: PairState) -> list[str]:
    """Return by which states of the filter the pair is found; one that is old is not found by what it was."""
    if one.condition in ("stale", "lost"):
        kinds = ["stale"]
    else:
        kinds = (
            [one.signal.reversion] if one.condition == "ok" and one.signal and one.signal.reversion else []
        )
    return [*kinds, "alerting"] if one.firing else kinds


def _basis_points(one: PairState) -> float | None:
    """Return the spread in basis points of Y's price; of log prices its unit is that already."""
    signal = one.signal
    if signal is None or signal.spread is None:
        return None
    return _BP * signal.spread / (1.0 if one.pair.transform == "log" else signal.y_price)


def _alert(one: PairState, alert: HandledAlert | None, zone: str) -> str:
    """Return since when the pair fires, or what its newest alert was and when."""
    shown = one.firing or alert
    if shown is None:
        return NONE
    at = moment(shown.event_us, zone)
    now_us = one.signal.event_us if one.signal else shown.event_us
    when = at[11:16] if at[:10] == moment(now_us, zone)[:10] else at[5:16]
    return f"Firing since {when}" if one.firing else f"{shown.state.replace('_', ' ').capitalize()} {when}"


def _heights(zscores: tuple[float | None, ...], entry_z: float) -> tuple[list[int | None], int]:
    """Return heights above and below the middle, and that of the entry threshold.

    >>> _heights((0.0, -2.0, None, 4.0), 2.0)
    ([0, -25, None, 50], 25)
    >>> _heights((), 2.0)
    ([], 40)
    """
    reach = max([_REACH * entry_z, *(abs(one) for one in zscores if one is not None)])
    if all(one is None for one in zscores):
        zscores = ()
    heights = [None if one is None else round(HALF * one / reach) for one in zscores]
    return heights, round(HALF * entry_z / reach)
