"""Metrics of a signal: THE list of what the page of pairs shows of one, on cards, in panes and in the address."""

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter

from services.contracts.messages import Signal
from services.ui.api.types import WatchedPair
from services.ui.charts import measures
from services.ui.charts.measures import Measure
from services.ui.pages.pairs import annotations
from services.ui.pages.pairs.annotations import Annotation
from services.ui.state.live_state import LiveState


@dataclass(frozen=True)
class Metric:
    """A card, and a pane of the chart where it has a `share` of its height.

    `name` is that of its elements and in the address, `value` takes its number out of a signal. `annotate` says on the
    card what there is to know beside the number; without it the number stands alone. `explained` is the hover text;
    `card` the card's label where it is not the measure's. What is counted `in_prices` has the decimals of a price, too.
    """

    name: str
    measure: Measure
    value: Callable[[Signal], float | None] | None = None
    share: float = 0.0
    explained: str = ""
    card: str = ""
    annotate: Callable[[LiveState, WatchedPair, Signal], Annotation] | None = None
    in_prices: bool = False

    def said(self, market: LiveState, pair: WatchedPair, signal: Signal) -> Annotation:
        """Return what a signal says on the card."""
        if self.annotate:
            found = self.annotate(market, pair, signal)
        else:
            number = self.value(signal) if self.value else None
            found = Annotation(None if number is None else self.measure.text(number))
        return found._replace(explained=found.explained.format(self.explained))


METRICS = (
    Metric(
        "spread",
        measures.SPREAD,
        attrgetter("spread"),
        0.17,
        "Residual of Y from the line fitted before this second.",
        annotate=annotations.spread,
        in_prices=True,
    ),
    Metric(
        "zscore",
        measures.ZSCORE,
        attrgetter("zscore"),
        0.25,
        "The spread in standard deviations of its window. With a rolling fit z is not standard normal: the quantile of "
        "|z| over the last hour says how rare a value is.",
        annotate=annotations.zscore,
    ),
    Metric(
        "hedge-ratio",
        measures.HEDGE_RATIO,
        attrgetter("hedge_ratio"),
        0.16,
        "Change of Y per unit of X in the live window; the tests beside the chart fit stored bars. ± is the standard "
        "error, which assumes independent errors. R² is the share of Y's variance there that the line explains.",
        annotate=annotations.hedge_ratio,
    ),
    Metric(
        "correlation",
        measures.CORRELATION,
        attrgetter("price_correlation"),
        0.14,
        "Correlation of the legs' prices in the window: two trending prices correlate by chance. The correlation of "
        "returns, from trade to trade, is not affected by trends. The leading leg moves first.",
        card="Price correlation",
        annotate=annotations.correlation,
    ),
    Metric(
        "reversion",
        measures.REVERSION,
        explained="Reverting: Engle-Granger rejects at 5 % both ways round (p is the greater one). Broken: it did so "
        "within the last window, and the spread has left that line. Else unproven. The half-life is median-unbiased, "
        "with a 95 % interval, in seconds of the live window, looked at once a minute; that of the tests beside the "
        "chart is of stored bars, in bars.",
        annotate=annotations.reversion,
    ),
)
DRAWN = {metric.name: metric for metric in METRICS if metric.share}
"""Those with a pane, by name, from the top."""
