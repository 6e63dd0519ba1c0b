"""Registry of the estimators of the hedge ratio, by their names in the settings."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from services.contracts.pair_messages import Method as Method
from services.quant.estimators.ewma import Ewma
from services.quant.estimators.huber import Huber
from services.quant.estimators.kalman import Kalman
from services.quant.estimators.ols import Ols
from services.quant.estimators.ols_origin import OlsOrigin
from services.quant.estimators.rls import RecursiveLeastSquares
from services.quant.estimators.theil_sen import TheilSen
from services.quant.estimators.tls import Tls
from services.quant.fit import Fit
from services.quant.moments import RollingMoments
from services.quant.transform import Transform


class Estimator(Protocol):
    """A line through the observations so far, one at a time.

    An observation is judged by the fit that was there before it: ``get`` first, then ``update``.
    """

    window: int
    """Number of observations that count, or the mean age by weight (`rls`, `ewma`, the scale of `kalman`)."""
    memory: int
    """Number of last observations that ``restore`` needs beside the state."""

    @property
    def moments(self) -> RollingMoments | None:
        """The moments of the window where there is one: the correlation is in them, at no further cost."""

    def update(self, y: float, x: float) -> None:
        """Add an observation, both prices transformed alike."""

    def get(self) -> Fit:
        """Return the fit of the observations so far; NotEnoughDataError if they determine none."""

    def state(self) -> list[float]:
        """Return at most a dozen numbers that, with the last `memory` observations, are all there is to know."""

    def restore(self, state: Sequence[float], samples: Sequence[tuple[float, float]] = ()) -> None:
        """Become the estimator that had this `state`, bit for bit.

        `samples` are its last `memory` observations (y, x), oldest first, or all if there were fewer.
        """


ESTIMATORS: Mapping[Method, Callable[..., Estimator]] = {
    "ols": Ols,
    "ols_origin": OlsOrigin,
    "tls": Tls,
    "huber": Huber,
    "theil_sen": TheilSen,
    "rls": RecursiveLeastSquares,
    "kalman": Kalman,
    "ewma": Ewma,
}

# Their ``get`` reads the whole window: for the close of a bar, between closes its last fit stands.
ON_BAR_CLOSE: frozenset[Method] = frozenset({"huber", "theil_sen"})


def create(method: Method, window: int, transform: Transform = "price", **parameters: float) -> Estimator:
    """Return an empty estimator of legs so transformed; `parameters` are those of its class, ValueError for bad values.

    Only `kalman` needs to know: a line has no units, but the noise of its slope has.
    """
    if method == "kalman":
        return Kalman(window, logs=transform == "log", **parameters)
    return ESTIMATORS[method](window, **parameters)


# Without a window: what they say of the past is all in their state, and no one line is that of a sample.
MOVING: frozenset[Method] = frozenset({"rls", "kalman", "ewma"})
