"""Pair window: the rolling statistics of one pair, and each price judged by them."""

import copy
from collections import deque
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec import Struct

from services.common.clock import MINUTE, SECOND
from services.contracts.messages import Method, PairConfig, Quality, Signal
from services.contracts.pairs import Pair
from services.quant.correlation.rolling import correlation
from services.quant.estimators import registry
from services.quant.estimators.influence import is_outlier
from services.quant.estimators.r_squared import r_squared
from services.quant.estimators.windowed import Windowed
from services.quant.fit import Fit, NotEnoughDataError
from services.quant.moments import Moments, RollingMoments
from services.quant.rank import RollingRank
from services.quant.transform import TRANSFORMS
from services.stream_analytics.alignment import Sample
from services.stream_analytics.filled import NOTHING
from services.stream_analytics.minute_statistics import NEVER, MinuteStatistics, measure, phase_us
from services.stream_analytics.trades import TapeTrade

RANKED = 720
"""Among how many z-scores the next one has its rank: an hour of them if none is missing."""
# Neighbours are all but the same.
RANKED_EVERY_US = 5 * SECOND


class WindowState(Struct, frozen=True, array_like=True):
    """State of a window beyond its samples and z-scores.

    `numbers` are those of the estimator, `position` that of the moments beside it. `learned` counts samples, `outliers`
    are the numbers of those that were outliers.
    """

    numbers: list[float]
    position: int
    learned: int
    outliers: tuple[int, ...]
    minute: MinuteStatistics


class _Parameters(NamedTuple):
    """Parameters of a window, computed once between two samples."""

    fit: Fit
    moments: Moments
    correlation: float
    r_squared: float | None


class PairWindow:
    """Judge each sample by the window before it, then let it into the window.

    Prices between two closes are judged by the same parameters. A sample with a stale or torn leg is judged by
    no one and enters no window: an old price is not an observation.
    """

    def __init__(self, config: PairConfig) -> None:
        self.config = config
        self._legs = Pair.parse(config.pair)
        self._phase_us = phase_us(config.pair)
        self._transform = TRANSFORMS[config.transform]
        self._method: Method = config.method if config.intercept else "ols_origin"
        self._zscores = RollingRank(RANKED)
        self._last_us: int | None = None
        self.filled, self.looks_from_us = NOTHING, 0
        self._begin()

    def _begin(self) -> None:
        window = self.config.window
        self._estimator = registry.create(self._method, window, self.config.transform)
        # Estimators of a window keep its moments anyway.
        self._own = None if isinstance(self._estimator, Windowed) else RollingMoments(window)
        self._times: deque[tuple[int, int, int]] = deque(maxlen=window)
        """Times of each sample: the trades of y and x, and the end of the second (µs)."""
        self.samples = 0
        """Number of samples in the window."""
        self._learned = 0
        self._outliers: tuple[int, ...] = ()
        self.minute = NEVER
        self._parameters: _Parameters | str | None = None

    def copy(self) -> "PairWindow":
        """Return a window that goes its own way from here."""
        other = copy.copy(self)
        other._estimator, other._own = copy.deepcopy(self._estimator), copy.deepcopy(self._own)
        other._times, other._zscores = self._times.copy(), self._zscores.copy()
        return other

    @property
    def _moments(self) -> RollingMoments:
        moments = self._estimator.moments if self._own is None else self._own
        assert moments is not None, "whoever keeps no moments has them beside it"
        return moments

    @property
    def memory(self) -> int:
        """Return the number of last samples that `restore` needs."""
        return max(self.config.window, self._estimator.memory)

    def state(self) -> WindowState:
        """Return what the samples and z-scores do not tell."""
        position = 0 if self._own is None else self._own.position
        return WindowState(self._estimator.state(), position, self._learned, self._outliers, self.minute)

    def restore(
        self,
        state: WindowState,
        samples: "Sequence[tuple[float, float, float, float, float]]",
        zscores: Iterable[float],
        last_us: int | None,
    ) -> None:
        r"""Become the window that had this `state`.

        `samples` are its last `memory` prices and times (y, x, µs of y, µs of x, µs of the end), `zscores` the last
        \|z\|, oldest first.
        """
        window = self.config.window
        seen = [(self._transform(y), self._transform(x)) for y, x, _, _, _ in samples]
        needed = self._estimator.memory
        self._estimator.restore(state.numbers, seen[len(seen) - needed :] if len(seen) > needed else seen)
        if self._own is not None:
            kept = seen[-window:]
            self._own = RollingMoments(window, (state.position - len(kept)) % window)
            self._own.extend([x for _, x in kept], [y for y, _ in kept])
        self._times.extend((int(y_us), int(x_us), int(end_us)) for _, _, y_us, x_us, end_us in samples)
        self._zscores.extend(zscores)
        self.samples = min(len(samples), window)
        self._learned, self._outliers, self.minute = state.learned, state.outliers, state.minute
        self._parameters, self._last_us = None, last_us

    def reconfigure(self, config: PairConfig) -> None:
        """Take new thresholds; the statistics stay as they are."""
        self.config, self._parameters = config, None

    def is_outdated(self, at_us: int) -> bool:
        """Tell whether nothing in the window is recent enough to judge `at_us`: a gap as long as the window."""
        return self._last_us is not None and at_us - self._last_us > self.config.window * SECOND

    def clear(self) -> None:
        """Begin an empty window."""
        self._last_us = None
        self._begin()

    def learn(self, sample: Sample, signal: Signal, minute: MinuteStatistics | None = None) -> None:
        """Add a sample to the window, with its `signal`.

        Once a minute the window is then looked at as a whole, unless `minute` is what was found.
        """
        y, x = self._transform(sample.y.price), self._transform(sample.x.price)
        self._estimator.update(y, x)
        if self._own is not None:
            self._own.update(x, y)
        self._times.append((sample.y.event_us, sample.x.event_us, sample.end_us))
        self.samples = min(self.samples + 1, self.config.window)
        self._learned += 1
        if signal.outlier:
            self._outliers += (self._learned,)
        if self._outliers and self._outliers[0] <= self._learned - self.config.window:
            self._outliers = self._outliers[1:]
        if (size := ranked(signal)) is not None:
            self._zscores.update(size)
        self._last_us = sample.end_us
        self._parameters = None
        self.minute = minute or self._look(sample.end_us)

    def _look(self, at_us: int) -> MinuteStatistics:
        number = (at_us - self._phase_us) // MINUTE
        if number <= self.minute.number or at_us < self.looks_from_us:
            return self.minute
        legs, memory_us = self._moments.observations(), self.config.window * SECOND
        return measure(self.minute, number, self._times, legs, self.config.transform, memory_us)

    def zscore(self, y: TapeTrade, x: TapeTrade) -> float | None:
        """Return the z-score of two prices, None where there is none."""
        parameters = self._fitted(max(y.event_us, x.event_us))
        if isinstance(parameters, str):
            return None
        try:
            return parameters.fit.zscore(self._transform(y.price), self._transform(x.price))
        except NotEnoughDataError:
            return None

    def judge(self, sample: Sample, closed: bool = True) -> Signal:
        """Return the signal of a sample, by the parameters of the window as it is."""
        if not sample.is_whole:
            return self._without_numbers(sample, closed, "stale", sample.why_not(self._legs))
        parameters = self._fitted(sample.end_us)
        if isinstance(parameters, str):
            return self._without_numbers(sample, closed, "not_enough_data", parameters)
        fit, moments, correlated, explained = parameters
        y, x = self._transform(sample.y.price), self._transform(sample.x.price)
        try:
            zscore = fit.zscore(y, x)
        except NotEnoughDataError as error:
            return self._without_numbers(sample, closed, "not_enough_data", str(error))
        config, minute = self.config, self.minute
        reversion = minute.reversion
        return Signal(
            pair=config.pair,
            event_us=sample.end_us,
            y_price=sample.y.price,
            x_price=sample.x.price,
            hedge_ratio=fit.hedge_ratio,
            intercept=fit.intercept,
            method=self._method,
            spread=fit.spread(y, x),
            zscore=zscore,
            correlation=correlated,
            window=config.window,
            samples=self.samples,
            quality="ok",
            closed=closed,
            late=sample.late,
            hedge_ratio_se=fit.hedge_ratio_se,
            r_squared=explained,
            price_correlation=correlated,
            zscore_rank=self._zscores.get(abs(zscore)),
            outlier=is_outlier(moments, y, x, zscore if self._method == "ols" else None),
            outliers=len(self._outliers),
            return_correlation=minute.return_correlation,
            return_correlation_clipped=minute.return_correlation_clipped,
            lead_lag_s=minute.lead_lag_s,
            reversion=reversion.state,
            cointegration_p=reversion.p_value,
            half_life_s=reversion.half_life,
            half_life_low_s=reversion.low,
            half_life_high_s=reversion.high,
            filled=self.filled.told(self._times),
        )

    def _fitted(self, at_us: int) -> _Parameters | str:
        """Return the parameters, computed once between two samples, or why there are none."""
        if self.is_outdated(at_us):
            return self._missing(0)
        if self._parameters is None:
            self._parameters = self._fit()
        return self._parameters

    def _fit(self) -> _Parameters | str:
        if self.samples < min(self.config.window, self.config.min_samples):
            return self._missing(self.samples)
        moments = self._moments.get()
        try:
            fit, correlated = self._estimator.get(), correlation(moments)
            explained = (
                correlated * correlated
                if self._method == "ols"
                else r_squared(fit, moments, about_zero=self._method == "ols_origin")
            )
            return _Parameters(fit, moments, correlated, explained)
        except NotEnoughDataError as error:
            return str(error)

    def _missing(self, samples: int) -> str:
        return f"{samples} samples, {min(self.config.window, self.config.min_samples)} needed"

    def _without_numbers(self, sample: Sample, closed: bool, quality: Quality, reason: str) -> Signal:
        return Signal(
            pair=self.config.pair,
            event_us=sample.end_us,
            y_price=sample.y.price,
            x_price=sample.x.price,
            hedge_ratio=None,
            intercept=None,
            method=self._method,
            spread=None,
            zscore=None,
            correlation=None,
            window=self.config.window,
            samples=self.samples,
            quality=quality,
            reason=reason,
            closed=closed,
            late=sample.late,
            outlier=quality != "stale" and self._stands_out(sample),
            outliers=len(self._outliers),
            filled=self.filled.told(self._times),
        )

    def _stands_out(self, sample: Sample) -> bool:
        """Tell whether a sample that cannot be judged decides how the next ones are judged."""
        if self.is_outdated(sample.end_us):
            return False
        y, x = self._transform(sample.y.price), self._transform(sample.x.price)
        return is_outlier(self._moments.get(), y, x)


def ranked(signal: Signal) -> float | None:
    r"""Return the \|z\| among which later ones have their rank, None if this one is not: one in five seconds is."""
    if signal.zscore is None or signal.event_us % RANKED_EVERY_US:
        return None
    return abs(signal.zscore)
