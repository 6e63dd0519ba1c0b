"""Annotations of the cards: the value of a signal, a remark beside it, and its tone."""

from typing import Literal, NamedTuple

from services.contracts.messages import Signal
from services.ui.api.types import WatchedPair
from services.ui.charts import measures
from services.ui.pages.pairs.marks import REMEDY
from services.ui.pages.pairs.texts import method_name
from services.ui.state.live_state import LiveState
from services.ui.widgets import formatting, reversion_text
from services.ui.widgets.formatting import number, significant_decimals

LOG_DECIMALS = 6

Tone = Literal["", "hot", "calm", "up", "down", "delayed"]
OUTLIERS = (
    "An outlier moves the fitted line by more than two standard errors, or through itself, while it is in the window. "
    f"{REMEDY}."
)


class Annotation(NamedTuple):
    """Value of a card, None if unknown, with its remark; {} in `explained` is the text that always explains it."""

    value: str | None
    note: str = ""
    tone: Tone = ""
    explained: str = "{}"


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


def spread(market: LiveState, pair: WatchedPair, signal: Signal) -> Annotation:
    """Return the spread, in the unit that it has."""
    if signal.spread is None:
        return Annotation(None)
    log = pair.transform == "log"
    decimals = LOG_DECIMALS if log else market.decimals.get(pair.y, 2) + 1
    value = number(signal.spread, decimals, sign=True)
    return Annotation(value, "log prices" if log else f"in the unit of {pair.y}'s price")


def zscore(market: LiveState, pair: WatchedPair, signal: Signal) -> Annotation:
    """Return the z-score, and how far it is beyond the thresholds and the last hour's."""
    if signal.zscore is None:
        return Annotation(None)
    value = formatting.zscore(signal.zscore, pair.entry_z, pair.exit_z)
    ranked = "" if signal.zscore_rank is None else f"\n{rank(signal.zscore_rank)}"
    if signal.outlier:
        return Annotation(value, f"an outlier of its window{ranked}", "hot", f"{{}} {OUTLIERS}")
    if abs(signal.zscore) >= pair.entry_z:
        return Annotation(value, f"beyond entry ±{pair.entry_z:g}{ranked}", "hot")
    if abs(signal.zscore) <= pair.exit_z:
        return Annotation(value, f"within exit ±{pair.exit_z:g}{ranked}", "calm")
    return Annotation(value, f"entry ±{pair.entry_z:g}, exit ±{pair.exit_z:g}{ranked}")


def hedge_ratio(market: LiveState, pair: WatchedPair, signal: Signal) -> Annotation:
    """Return the hedge ratio, how sure it is, and the outliers of its window."""
    if signal.hedge_ratio is None:
        return Annotation(None)
    method = f"{method_name(signal.method)}, " if signal.method else ""
    value = measures.HEDGE_RATIO.text(signal.hedge_ratio)
    sure = []
    if (error := signal.hedge_ratio_se) is not None:
        sure.append(f"± {number(error, significant_decimals(error, 2))}")
    if signal.r_squared is not None:
        sure.append(f"R² {number(signal.r_squared, 3)}")
    second = f"\n{', '.join(sure)}" if sure else ""
    if not signal.outliers:
        return Annotation(value, f"{method}window {signal.window}{second}")
    count = "1 outlier" if signal.outliers == 1 else f"{signal.outliers} outliers"
    return Annotation(value, f"{count} in the window{second}", "delayed", f"{{}} {OUTLIERS}")


def correlation(market: LiveState, pair: WatchedPair, signal: Signal) -> Annotation:
    """Return the correlation of prices, that of returns, and which leg leads."""
    if signal.price_correlation is None:
        return Annotation(None)
    note = f"window {signal.window}"
    if signal.return_correlation is not None:
        clipped = ", clipped" if signal.return_correlation_clipped else ""
        returns = number(signal.return_correlation, 2, sign=True)
        note = f"of returns {returns}{clipped}\n{lead(pair, signal.lead_lag_s)}"
    return Annotation(measures.CORRELATION.text(signal.price_correlation), note)


def reversion(market: LiveState, pair: WatchedPair, signal: Signal) -> Annotation:
    """Return whether the spread is seen to come back, and how soon."""
    if signal.reversion is None:
        return Annotation(None)
    tones: dict[str, Tone] = {"reverting": "calm", "broken": "hot"}
    note = reversion_text.life(signal) or "updated once a minute"
    meaning = reversion_text.meaning(signal.reversion) or signal.reversion
    explained = f"{meaning.capitalize()}. {{}}"
    return Annotation(signal.reversion, note, tones.get(signal.reversion, ""), explained)
