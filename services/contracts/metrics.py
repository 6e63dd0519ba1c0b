"""Metrics that rules measure: of what each is, and what its number means."""

from typing import Literal, NamedTuple

SubjectKind = Literal["pair", "radar", "symbol", "service"]
"""`radar` is a pair that a radar has confirmed, whether it is watched or not."""


class Metric(NamedTuple):
    """A metric: the kind of subject that has it, what its number means, whether it is of a stretch of time."""

    subject: SubjectKind
    meaning: str
    needs_over_s: bool = False


METRICS: dict[str, Metric] = {
    "zscore": Metric("pair", "The z-score of a closed second."),
    "zscore_rank": Metric("pair", "The quantile of |z| among the pair's last ones, 0 to 1."),
    "spread": Metric("pair", "y - (intercept + hedge_ratio * x)."),
    "hedge_ratio": Metric("pair", "Units of x for one of y."),
    "price_correlation": Metric("pair", "Pearson's, of the prices in the window."),
    "return_correlation": Metric("pair", "Hayashi-Yoshida's, of returns; found once a minute."),
    "half_life_s": Metric("pair", "Half-life of the spread, s."),
    "cointegration_p": Metric("pair", "Engle-Granger's p-value in the window."),
    "reversion": Metric("pair", "1 while the spread is seen to revert, 0 unproven, -1 broken."),
    "stale": Metric("pair", "1 in a second in which a leg was silent for too long, else 0."),
    "y_price": Metric("pair", "Last price of the first leg."),
    "x_price": Metric("pair", "Last price of the second leg."),
    "y_volatility": Metric("pair", "Realised volatility of the first leg over `over_s`, %.", True),
    "x_volatility": Metric("pair", "Realised volatility of the second leg over `over_s`, %.", True),
    "radar_confirmed": Metric("radar", "1 while a radar confirms the pair, 0 once none does."),
    "delivery_lag_ms": Metric("symbol", "99 of 100 trades of the last minute took no longer, ms."),
    "trade_rate": Metric("symbol", "Trades a second, over the last minute."),
    "quote_volume_1m": Metric("symbol", "Price times size of the last minute's trades, in quote currency."),
    "price": Metric("symbol", "Price of the last trade, once a second."),
    "volatility": Metric("symbol", "Realised volatility over `over_s`, %.", True),
    "stream_stale": Metric("symbol", "1 while its stream is silent though its connection lives, else 0."),
    "missing_trades": Metric("symbol", "Trades that are missing in its gaps of the last hour."),
    "coverage_1h": Metric("symbol", "Share of the last hour's trades that are on the tape, 0 to 1."),
    "silent_s": Metric("service", "Seconds since the last heartbeat of any of its processes."),
    "degraded": Metric("service", "1 while one of its processes says that it is degraded, else 0."),
    "lag_seconds": Metric("service", "How long the oldest message that it has not read has waited, s."),
    "lag_messages": Metric("service", "Messages that wait to be read."),
    "lost_messages": Metric(
        "service", "Messages that were deleted before it read them, since alerting began."
    ),
    "disk_free": Metric("service", "Free share of the disk where it works, 0 to 1."),
}
"""Every metric, by its name in rules and in the ``values`` of alerts."""

REVERSION = {"reverting": 1.0, "unproven": 0.0, "broken": -1.0}
"""The numbers of the metric ``reversion``."""
