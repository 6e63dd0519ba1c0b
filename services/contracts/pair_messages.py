"""Messages about pairs: configurations, signals and alerts. All others: ``messages``."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from services.contracts.fields import (
    Correlation,
    Count,
    Id,
    Microseconds,
    Name,
    NotNegative,
    PairName,
    Positive,
    Share,
)
from services.contracts.pairs import parse_pair

Quality = Literal["ok", "not_enough_data", "stale"]
Method = Literal["ols", "ols_origin", "tls", "huber", "theil_sen", "rls", "kalman", "ewma"]
Transform = Literal["price", "log"]
AlertState = Literal["firing", "resolved", "retracted"]
ReversionState = Literal["reverting", "unproven", "broken"]

LEAST_TESTED = 30
"""In a window of fewer samples no spread is ever seen to revert."""

LOG_THROUGH_ORIGIN = (
    "an intercept, or transform price, because through the origin the hedge ratio of logarithms depends on the unit "
    "of the prices"
)
"""What is expected in place of it."""


def is_log_through_origin(method: Method, transform: Transform, intercept: bool = True) -> bool:
    """Tell whether a fit of logarithms goes through the origin, which new configurations may not ask for."""
    return transform == "log" and (method == "ols_origin" or not intercept)


class PairConfig(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Configuration of one pair; compacted topic ``pairs``, key: pair. A message without a value removes the
    pair.

    `window` counts samples, one a second; `min_samples` of them give the first z-score. `intercept` may be
    false for ``ols`` alone: then the line goes through the origin, and is one of prices. A pair from before that was
    asked for, of logarithms, goes on: its ``warning`` says what is wrong. A paused pair has no signals. With
    `only_while_reverting` its alert fires only while the spread is seen to revert, for which the window has to have 30
    samples.
    """

    pair: PairName
    window: Annotated[int, Meta(ge=10, le=100_000)] = 300
    method: Method = "ols"
    transform: Transform = "price"
    intercept: bool = True
    min_samples: Annotated[int, Meta(ge=3, le=100_000)] = 30
    entry_z: Annotated[float, Meta(gt=0, lt=1e6)] = 2.0
    exit_z: Annotated[float, Meta(ge=0, lt=1e6)] = 0.5
    stale_after_s: Annotated[float, Meta(gt=0, le=86_400)] = 10.0
    paused: bool = False
    only_while_reverting: bool = False

    def __post_init__(self) -> None:
        """Refuse what contradicts itself (ValueError)."""
        if parse_pair(self.pair) != self.pair:
            raise ValueError(f"expected a pair in upper case, received {self.pair!r}")
        if self.exit_z >= self.entry_z:
            raise ValueError(f"expected exit_z below entry_z {self.entry_z:g}, received {self.exit_z:g}")
        if not self.intercept and self.method not in ("ols", "ols_origin"):
            raise ValueError(f"expected an intercept with method {self.method}, received intercept false")
        if self.only_while_reverting and self.window < LEAST_TESTED:
            raise ValueError(
                f"expected a window of at least {LEAST_TESTED} samples with only_while_reverting, because of fewer no "
                f"spread is tested and no alert would ever fire, received window {self.window}"
            )

    @property
    def warning(self) -> str | None:
        """Return the problem of a configuration that may stay in use, but not be newly asked for."""
        is_meaningless = is_log_through_origin(self.method, self.transform, self.intercept)
        return f"expected {LOG_THROUGH_ORIGIN}" if is_meaningless else None


class Signal(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    r"""The state of one pair at the close of one second. Unique by (pair, event_us); topic ``signals``, key: pair.

    ``event_us`` is the end of the second. The parameters are fitted on the window before it, so ``spread``
    and ``zscore`` never see the observation they judge. Unless ``quality`` is ``ok``, what could not be
    computed is null and ``reason`` says why.

    Where ``closed`` is false the second is still open: the prices are the latest, ``event_us`` is the later
    trade's time, and the next signal replaces this one; it is not stored.

    A closed second may be corrected: the same key with a higher ``revision`` replaces the earlier one, because a
    trade of it, or of the window before it, came after it had closed. ``late`` counts the trades of both legs that came
    after their second had closed: in a closed signal those of its second, in an open one all since the worker began.

    ``hedge_ratio_se`` is the standard error as if the errors were independent, ``r_squared`` the share of y's variance
    in the window that the line explains. ``price_correlation`` is that of prices (or of their logarithms) in the
    window; ``correlation`` is its old name. ``zscore_rank`` is the share, 0 to 1, of the pair's last 720 \|z\| (one
    in five seconds: an hour if none is missing) that were smaller, null of fewer than 60. An ``outlier`` moves the line
    of its window by more than two of its own standard errors, or has more leverage than all others together; none is
    one of fewer than 30 samples; ``outliers`` counts those in the window.

    Once a minute the window is looked at as a whole, and until the next time the signals carry what was found:
    ``return_correlation`` of the returns between trades (Hayashi-Yoshida); ``lead_lag_s``, by how much y leads x (s),
    null if no lag stands out; ``reversion``: whether the spread is seen to come back, by Engle-Granger both ways
    round (``cointegration_p`` is the worse one), or did so within the last window and has left its line (``broken``);
    the median-unbiased half-life with the ends of its interval of 95 %, those of an AR(1): noise on the spread makes
    them too short. With a ``cointegration_p`` null is no end, without one nothing could be tested.
    """

    pair: PairName
    event_us: Microseconds
    y_price: Positive
    x_price: Positive
    hedge_ratio: float | None
    intercept: float | None
    method: Name
    spread: float | None
    zscore: float | None
    correlation: float | None
    window: Count
    samples: Count
    quality: Quality
    reason: str | None = None
    closed: bool = True
    late: Count = 0
    revision: Count = 0
    hedge_ratio_se: NotNegative | None = None
    r_squared: float | None = None
    price_correlation: Correlation | None = None
    zscore_rank: Share | None = None
    outlier: bool = False
    outliers: Count = 0
    return_correlation: Correlation | None = None
    lead_lag_s: float | None = None
    reversion: ReversionState | None = None
    cointegration_p: Share | None = None
    half_life_s: NotNegative | None = None
    half_life_low_s: NotNegative | None = None
    half_life_high_s: NotNegative | None = None


class Alert(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One transition of one rule on one pair; topic ``alerts``, key: pair. ``alert_id`` is deterministic.

    ``y_age_s`` and ``x_age_s`` say how old the price of each leg was (s). A transition that does not hold once late
    trades are known is followed by one whose state is ``retracted``, of the same time, with its id in ``retracts``:
    what holds now is the latest transition that was not retracted. ``reversion`` is that of the signal: whether the
    spread is seen to come back at all.
    """

    alert_id: Id
    rule_id: Id
    pair: PairName
    event_us: Microseconds
    state: AlertState
    value: float
    threshold: float
    message: str
    y_age_s: Annotated[float, Meta(ge=0)] | None = None
    x_age_s: Annotated[float, Meta(ge=0)] | None = None
    retracts: Id | None = None
    reversion: ReversionState | None = None
