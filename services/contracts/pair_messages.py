"""Configuration of a pair: how it is measured. Its signals are in ``signals``, its alerts in ``alert_messages``."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from services.contracts.fields import PairName
from services.contracts.pairs import parse_pair
from services.contracts.threshold import ENTRY_Z, EXIT_Z

Method = Literal["ols", "ols_origin", "tls", "huber", "theil_sen", "rls", "kalman", "ewma"]
Transform = Literal["price", "log"]

LEAST_TESTED = 30
"""In a window of fewer samples no spread is ever seen to revert."""

LOG_THROUGH_ORIGIN = (
    "an intercept, or transform price, because through the origin the hedge ratio of logarithms depends on the unit "
    "of the prices"
)
"""Expected value in the error text of such a fit."""


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
    entry_z: Annotated[float, Meta(gt=0, lt=1e6)] = ENTRY_Z
    exit_z: Annotated[float, Meta(ge=0, lt=1e6)] = EXIT_Z
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


DEFAULTS = PairConfig(pair="ETHUSDT-BTCUSDT")
"""Default settings of a pair."""
