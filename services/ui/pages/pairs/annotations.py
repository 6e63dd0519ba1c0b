"""Annotations of a signal on the cards: a value, a remark beside it, and its tone."""

from typing import Literal, NamedTuple

from services.contracts.messages import Signal
from services.ui.api.types import WatchedPair
from services.ui.pages.pairs.marks import REMEDY
from services.ui.pages.pairs.texts import method_name
from services.ui.state.live_state import LiveState
from services.ui.widgets import reversion_text
from services.ui.widgets.formatting import correlation, number, significant_decimals, zscore

LOG_DECIMALS = 6

Tone = Literal["", "hot", "calm", "up", "down", "delayed"]
EXPLAINED = {
    "spread": "What the line that was fitted before this second leaves of Y.",
    "zscore": "The spread in deviations of its window. Of a rolling line these are no normal ones: how many of the "
    "pair's |z| of the last hour were smaller says how rare it is.",
    "hedge-ratio": "How much Y moves with one of X. ± is its standard error, as if the errors were independent. R² is "
    "the share of Y's variance in the window that the line explains.",
    "correlation": "Of the legs' prices in the window: two that trend have a large one by chance. That of their "
    "returns, from trade to trade, does not come by trends. A leg that leads moves first.",
    "reversion": "Reverting, if Engle-Granger rejects at 5 % both ways round (p is the greater one); broken, if it "
    "did so within the last window and the spread has left that line; else unproven. The half-life is "
    "median-unbiased, with its interval of 95 %.",
}
OUTLIERS = (
    "An outlier moves the line of its window by more than two of its own standard errors, or draws it through itself, "
    f"for as long as it is in there. {REMEDY}."
)


class Annotation(NamedTuple):
    """Annotation of a value, which is None if unknown."""

    value: str | None
    note: str = ""
    tone: Tone = ""
    explained: str = ""


def said(name: str, market: LiveState, pair: WatchedPair, signal: Signal) -> Annotation:
    """Return what a signal says on the card called `name`."""
    match name:
        case "spread":
            found = _spread(market, pair, signal)
        case "zscore":
            found = _zscore(pair, signal)
        case "hedge-ratio":
            found = _hedge_ratio(signal)
        case "correlation":
            found = _correlation(pair, signal)
        case _:
            found = _reversion(signal)
    return found._replace(explained=found.explained or EXPLAINED[name])


def rank(share: float) -> str:
    """Return how many of the recent |z| were smaller.

    >>> rank(0.978), rank(0.9996), rank(1.0)
    ('beyond 97 % of the last hour', 'beyond 99 % of the last hour', 'beyond all of the last hour')
    """
    return f"beyond {'all' if share >= 1 else f'{int(100 * share)} %'} of the last hour"


def lead(pair: WatchedPair, lead_lag_s: float | None) -> str:
    """Return which leg moves first."""
    if lead_lag_s is None:
        return "no leg leads"
    if lead_lag_s == 0:
        return "both at once"
    return f"{pair.y if lead_lag_s > 0 else pair.x} leads by {abs(lead_lag_s):g} s"


def _spread(market: LiveState, pair: WatchedPair, signal: Signal) -> Annotation:
    if signal.spread is None:
        return Annotation(None)
    log = pair.transform == "log"
    decimals = LOG_DECIMALS if log else market.decimals.get(pair.y, 2) + 1
    value = number(signal.spread, decimals, sign=True)
    return Annotation(value, "log prices" if log else f"in the unit of {pair.y}'s price")


def _zscore(pair: WatchedPair, signal: Signal) -> Annotation:
    if signal.zscore is None:
        return Annotation(None)
    value = zscore(signal.zscore, pair.entry_z, pair.exit_z)
    ranked = "" if signal.zscore_rank is None else f"\n{rank(signal.zscore_rank)}"
    if signal.outlier:
        return Annotation(
            value, f"an outlier of its window{ranked}", "hot", f"{EXPLAINED['zscore']} {OUTLIERS}"
        )
    if abs(signal.zscore) >= pair.entry_z:
        return Annotation(value, f"beyond entry ±{pair.entry_z:g}{ranked}", "hot")
    if abs(signal.zscore) <= pair.exit_z:
        return Annotation(value, f"within exit ±{pair.exit_z:g}{ranked}", "calm")
    return Annotation(value, f"entry ±{pair.entry_z:g}, exit ±{pair.exit_z:g}{ranked}")


def _hedge_ratio(signal: Signal) -> Annotation:
    if signal.hedge_ratio is None:
        return Annotation(None)
    method = f"{method_name(signal.method)}, " if signal.method else ""
    value = number(signal.hedge_ratio, significant_decimals(signal.hedge_ratio, 5))
    sure = []
    if (error := signal.hedge_ratio_se) is not None:
        sure.append(f"± {number(error, significant_decimals(error, 2))}")
    if signal.r_squared is not None:
        sure.append(f"R² {number(signal.r_squared, 3)}")
    second = f"\n{', '.join(sure)}" if sure else ""
    if not signal.outliers:
        return Annotation(value, f"{method}window {signal.window}{second}")
    count = "1 outlier" if signal.outliers == 1 else f"{signal.outliers} outliers"
    explained = f"{EXPLAINED['hedge-ratio']} {OUTLIERS}"
    return Annotation(value, f"{count} in the window{second}", "delayed", explained)


def _correlation(pair: WatchedPair, signal: Signal) -> Annotation:
    if signal.price_correlation is None:
        return Annotation(None)
    note = f"window {signal.window}"
    if signal.return_correlation is not None:
        note = (
            f"of returns {number(signal.return_correlation, 2, sign=True)}\n{lead(pair, signal.lead_lag_s)}"
        )
    return Annotation(correlation(signal.price_correlation), note)


def _reversion(signal: Signal) -> Annotation:
    if signal.reversion is None:
        return Annotation(None)
    tones: dict[str, Tone] = {"reverting": "calm", "broken": "hot"}
    note = reversion_text.life(signal) or "looked at once a minute"
    explained = f"{reversion_text.MEANING[signal.reversion].capitalize()}. {EXPLAINED['reversion']}"
    return Annotation(signal.reversion, note, tones.get(signal.reversion, ""), explained)
