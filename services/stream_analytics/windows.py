"""The rolling statistics of one pair: what its parameters say of its prices."""

import copy
from collections.abc import Sequence

from services.common.clock import SECOND
from services.common.messages import Method, PairConfig, Quality, Signal
from services.common.pairs import Pair
from services.quant import estimators
from services.quant.correlation import correlation
from services.quant.fit import Fit, NotEnoughDataError
from services.quant.moments import RollingMoments
from services.quant.transform import TRANSFORMS
from services.quant.windowed import Windowed
from services.stream_analytics.alignment import Sample
from services.stream_analytics.holes import HoleKind
from services.stream_analytics.trades import Trade

_UNKNOWN: dict[HoleKind, str] = {
    "missing": "are missing",
    "lost": "were lost unread",
    "doubtful": "may be on their way",
}


class PairWindow:
    """Judge each sample by the window before it, then let it into the window.

    Prices between two closes are judged by the same parameters. A sample with a stale or torn leg is judged by
    no one and enters no window: an old price is not an observation.
    """

    def __init__(self, config: PairConfig) -> None:
        self.config = config
        self._legs = Pair.parse(config.pair)
        self._transform = TRANSFORMS[config.transform]
        self._method: Method = config.method if config.intercept else "ols_origin"
        self._last_us: int | None = None
        self._begin()

    def _begin(self) -> None:
        window = self.config.window
        self._estimator = estimators.create(self._method, window, self.config.transform)
        # Estimators of a window keep its moments anyway.
        is_windowed = isinstance(self._estimator, Windowed)
        self._moments = None if is_windowed else RollingMoments(window)
        self.samples = 0
        """How many samples are in the window."""
        self._parameters: tuple[Fit, float] | str | None = None

    def copy(self) -> "PairWindow":
        """Return a window that goes its own way from here."""
        return copy.deepcopy(self)

    @property
    def memory(self) -> int:
        """How many of the last samples `restore` needs."""
        return max(self.config.window, self._estimator.memory)

    def state(self) -> tuple[list[float], int]:
        """Return what the samples do not tell."""
        position = 0 if self._moments is None else self._moments.position
        return self._estimator.state(), position

    def restore(
        self, state: tuple[list[float], int], samples: Sequence[tuple[float, float]], last_us: int | None
    ) -> None:
        """Become the window that had this `state`; `samples` are its last `memory` prices (y, x), oldest first."""
        seen = [(self._transform(y), self._transform(x)) for y, x in samples]
        numbers, position = state
        needed = self._estimator.memory
        self._estimator.restore(numbers, seen[len(seen) - needed :] if len(seen) > needed else seen)
        if self._moments is not None:
            window = self.config.window
            kept = seen[-window:]
            self._moments = RollingMoments(window, (position - len(kept)) % window)
            self._moments.extend([x for _, x in kept], [y for y, _ in kept])
        self.samples = min(len(samples), self.config.window)
        self._parameters, self._last_us = None, last_us

    def reconfigure(self, config: PairConfig) -> None:
        """Take new thresholds; what is measured stays as it is."""
        self.config, self._parameters = config, None

    def is_outdated(self, at_us: int) -> bool:
        """Tell whether nothing in the window is recent enough to judge `at_us`: a gap as long as the window."""
        return self._last_us is not None and at_us - self._last_us > self.config.window * SECOND

    def clear(self) -> None:
        """Begin an empty window."""
        self._last_us = None
        self._begin()

    def learn(self, sample: Sample) -> None:
        """Let a sample into the window."""
        y, x = self._transform(sample.y.price), self._transform(sample.x.price)
        self._estimator.update(y, x)
        if self._moments is not None:
            self._moments.update(x, y)
        self.samples = min(self.samples + 1, self.config.window)
        self._last_us = sample.end_us
        self._parameters = None

    def zscore(self, y: Trade, x: Trade) -> float | None:
        """Return the z-score of two prices, None where there is none."""
        parameters = self._fitted(max(y.event_us, x.event_us))
        if isinstance(parameters, str):
            return None
        try:
            return parameters[0].zscore(self._transform(y.price), self._transform(x.price))
        except NotEnoughDataError:
            return None

    def judge(self, sample: Sample, closed: bool = True) -> Signal:
        """Return the signal of a sample, by the parameters of the window as it is."""
        if not sample.is_whole:
            return self._signal(sample, closed, "stale", self._why(sample))
        parameters = self._fitted(sample.end_us)
        if isinstance(parameters, str):
            return self._signal(sample, closed, "not_enough_data", parameters)
        fit, correlated = parameters
        y, x = self._transform(sample.y.price), self._transform(sample.x.price)
        try:
            zscore = fit.zscore(y, x)
        except NotEnoughDataError as error:
            return self._signal(sample, closed, "not_enough_data", str(error))
        return self._signal(sample, closed, "ok", None, fit, fit.spread(y, x), zscore, correlated)

    def _fitted(self, at_us: int) -> tuple[Fit, float] | str:
        """Return the parameters, computed once between two samples, or why there are none."""
        if self.is_outdated(at_us):
            return self._missing(0)
        if self._parameters is None:
            self._parameters = self._fit()
        return self._parameters

    def _fit(self) -> tuple[Fit, float] | str:
        if self.samples < min(self.config.window, self.config.min_samples):
            return self._missing(self.samples)
        estimator = self._estimator
        moments = estimator.moments if isinstance(estimator, Windowed) else self._moments
        assert moments is not None, "whoever keeps no moments has them beside it"
        try:
            return estimator.get(), correlation(moments.get())
        except NotEnoughDataError as error:
            return str(error)

    def _missing(self, samples: int) -> str:
        return f"{samples} samples, {min(self.config.window, self.config.min_samples)} needed"

    def _why(self, sample: Sample) -> str:
        names, holes = {"y": self._legs.y, "x": self._legs.x}, dict(sample.holes)
        reasons = []
        # A leg whose trades are not here has traded all the while; one in doubt seems quiet, and may have.
        if quiet := [leg for leg in sample.stale if holes.get(leg, "doubtful") == "doubtful"]:
            reasons.append(" and ".join(names[leg] for leg in quiet) + " went quiet")
        for kind, words in _UNKNOWN.items():
            if legs := [leg for leg in holes if holes[leg] == kind]:
                reasons.append("trades of " + " and ".join(names[leg] for leg in legs) + " " + words)
        return "; ".join(reasons)

    def _signal(
        self,
        sample: Sample,
        closed: bool,
        quality: Quality,
        reason: str | None,
        fit: Fit | None = None,
        spread: float | None = None,
        zscore: float | None = None,
        correlated: float | None = None,
    ) -> Signal:
        return Signal(
            pair=self.config.pair,
            event_us=sample.end_us,
            y_price=sample.y.price,
            x_price=sample.x.price,
            hedge_ratio=None if fit is None else fit.hedge_ratio,
            intercept=None if fit is None else fit.intercept,
            method=self._method,
            spread=spread,
            zscore=zscore,
            correlation=correlated,
            window=self.config.window,
            samples=self.samples,
            quality=quality,
            reason=reason,
            closed=closed,
            late=sample.late,
        )
