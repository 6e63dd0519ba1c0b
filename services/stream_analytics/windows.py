"""The rolling statistics of one pair: one signal per closed second."""

from services.common.clock import SECOND
from services.common.messages import Signal
from services.common.pairs import Pair
from services.quant import ols
from services.quant.moments import RollingMoments
from services.stream_analytics.alignment import Sample

METHOD = "ols"


class PairWindow:
    """Judge each sample by the window before it, then let it into the window.

    A stale sample is judged by no one and enters no window: an old price is not an observation.
    """

    def __init__(self, pair: Pair, window: int, min_samples: int) -> None:
        self._pair = pair
        self._min_samples = min(window, min_samples)
        self._moments = RollingMoments(window)
        self._last_us: int | None = None

    def learn(self, sample: Sample) -> None:
        """Let a sample into the window without a signal, as when state is restored."""
        self._moments.update(sample.x.price, sample.y.price)
        self._last_us = sample.end_us

    def is_outdated(self, sample: Sample) -> bool:
        """Tell whether nothing in the window is recent enough to judge this sample: a gap as long as the window."""
        return self._last_us is not None and sample.end_us - self._last_us > self._moments.window * SECOND

    def clear(self) -> None:
        """Begin an empty window."""
        self._moments = RollingMoments(self._moments.window)
        self._last_us = None

    def observe(self, sample: Sample) -> Signal:
        """Return the signal of this sample, then let it into the window unless it is stale."""
        if sample.stale:
            legs = " and ".join({"y": self._pair.y, "x": self._pair.x}[leg] for leg in sample.stale)
            return self._signal(sample, quality="stale", reason=f"{legs} went quiet")
        signal = self._judge(sample)
        self.learn(sample)
        return signal

    def _judge(self, sample: Sample) -> Signal:
        moments = self._moments.get()
        if moments.n < self._min_samples:
            reason = f"{moments.n} samples, {self._min_samples} needed"
            return self._signal(sample, quality="not_enough_data", reason=reason)
        y, x = sample.y.price, sample.x.price
        try:
            fit = ols.fit(moments)
            return self._signal(
                sample,
                quality="ok",
                hedge_ratio=fit.hedge_ratio,
                intercept=fit.intercept,
                spread=fit.spread(y, x),
                zscore=fit.zscore(y, x),
                correlation=ols.correlation(moments),
            )
        except ols.NotEnoughDataError as error:
            return self._signal(sample, quality="not_enough_data", reason=str(error))

    def _signal(self, sample: Sample, **values: object) -> Signal:
        unknown = dict.fromkeys(("hedge_ratio", "intercept", "spread", "zscore", "correlation"))
        return Signal(
            pair=str(self._pair),
            event_us=sample.end_us,
            y_price=sample.y.price,
            x_price=sample.x.price,
            method=METHOD,
            window=self._moments.window,
            samples=self._moments.get().n,
            **(unknown | values),  # type: ignore[arg-type]
        )
