from collections.abc import Iterator
from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.tsa.statespace.mlemodel import MLEModel

from services.quant.estimators.exponential_moments import forgetting_of
from services.quant.estimators.kalman import Kalman, KalmanFit
from tests.unit.quant.series import Array, legs, samples, seeds

exactly = np.vectorize(Decimal, otypes=[object])


@pytest.fixture(autouse=True)
def digits() -> Iterator[None]:
    """After an x of 1e9 the textbook's difference of variances leaves 1 digit in 1e19, and its prior another 40."""
    with localcontext() as context:
        context.prec = 140
        yield


class Textbook:
    """Durbin and Koopman, 4.3, with matrices and 140 digits: y = (1, x) theta + v, theta walks."""

    def __init__(self, noise: Array, observation: float, mean: Array, variance: Array) -> None:
        self.noise, self.observation = exactly(noise), Decimal(observation)
        self.mean, self.variance = exactly(mean), exactly(variance)

    def forecast(self, x: float) -> tuple[float, float]:
        """Return what y is expected to be and the variance of the innovation."""
        z = exactly([1, x])
        return float(z @ self.mean), float(z @ self.variance @ z + self.observation)

    def update(self, y: float, x: float) -> None:
        z = exactly([1, x])
        f = z @ self.variance @ z + self.observation
        gain = self.variance @ z / f
        self.mean = self.mean + gain * (Decimal(y) - z @ self.mean)
        self.variance = self.variance - np.outer(gain, gain) * f + self.noise


def textbook(delta: float, observation: float, unit: float) -> Textbook:
    shape = np.diag([1, 1 / unit**2])
    noise = delta / (1 - delta) * observation * shape
    # As good as infinite: after moves of 1e-7 of x the variance of the slope is 1e14 of V.
    return Textbook(noise, observation, np.zeros(2), 1e40 * observation * shape)


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from(["walk", "jumps", "cents", "outliers", "venues", "together"]),
    seed=seeds,
    delta=st.sampled_from([0.0, 1e-7, 1e-5, 1e-3]),
    observation=st.sampled_from([1e-3, 1.0, 50.0]),
    unit=st.sampled_from([None, 1.0]),
)
def test_every_forecast_equals_the_textbooks(
    kind: str, seed: int, delta: float, observation: float, unit: float | None
) -> None:
    y, x = legs(kind, seed, 120)
    kalman = Kalman(50, delta, observation, unit=unit)
    reference = textbook(delta, observation, unit or float(x[0]))
    largest = 0.0
    for number, (b, a) in enumerate(samples(y, x)):
        largest = max(largest, b, a)
        if number >= 3 and np.ptp(x[:number]):
            fit = kalman.get()
            expected, variance = reference.forecast(a)
            deviation = float(np.sqrt(variance))
            # The intercept is counted from a price that float64 knows to 16 digits.
            rounding = 1e-9 * abs(expected) + 1e-6 * deviation + 1e-14 * largest
            assert b - fit.spread(b, a) == pytest.approx(expected, rel=0, abs=rounding)
            assert fit.scale_at(a) == pytest.approx(deviation, rel=1e-6)
            assert fit.zscore(b, a) == pytest.approx(
                (b - expected) / deviation, rel=1e-6, abs=rounding / deviation
            )
            for ours, theirs in ((fit.hedge_ratio_se, (1, 1)), (fit.intercept_se, (0, 0))):
                assert ours == pytest.approx(float(reference.variance[theirs].sqrt()), rel=1e-6)
        kalman.update(b, a)
        reference.update(b, a)


@settings(max_examples=20, deadline=None)
@given(
    kind=st.sampled_from(["walk", "cents", "venues"]), seed=seeds, delta=st.sampled_from([0.0, 1e-5, 1e-3])
)
def test_every_forecast_of_logarithms_equals_the_textbooks(kind: str, seed: int, delta: float) -> None:
    """Logarithms of 11 with moves of 1e-5, or of 1e-7, and x counted from one less than the first of them."""
    y, x = (np.log(leg) for leg in legs(kind, seed, 120))
    kalman = Kalman(50, delta, 1e-9, logs=True)
    reference = textbook(delta, 1e-9, 1.0)
    for number, (b, a) in enumerate(samples(y, x)):
        place = a - float(x[0]) + 1
        if number >= 3 and np.ptp(x[:number]):
            fit = kalman.get()
            expected, variance = reference.forecast(place)
            deviation = float(np.sqrt(variance))
            assert b - fit.spread(b, a) == pytest.approx(expected, rel=0, abs=1e-6 * deviation + 1e-13)
            assert fit.scale_at(a) == pytest.approx(deviation, rel=1e-6)
            assert fit.hedge_ratio_se == pytest.approx(float(reference.variance[1, 1].sqrt()), rel=1e-6)
        kalman.update(b, a)
        reference.update(b, place)


def test_the_innovations_equal_those_of_statsmodels() -> None:
    random = np.random.default_rng(3)
    x = 10 + np.cumsum(random.normal(0, 0.1, 200))
    y = 2 + 1.5 * x + random.normal(0, 0.2, 200)
    delta, observation = 1e-4, 0.04
    model = MLEModel(y, k_states=2)
    model["design"] = np.stack([np.ones(200), x])[np.newaxis]
    model["transition"] = model["selection"] = np.eye(2)
    model["state_cov"] = delta / (1 - delta) * observation * np.eye(2)
    model["obs_cov"] = [[observation]]
    model.ssm.initialize_diffuse()
    expected = model.ssm.filter()
    kalman = Kalman(50, delta, observation, unit=1.0)
    for number, (b, a) in enumerate(samples(y, x)):
        if number >= 3:
            fit = kalman.get()
            assert fit.spread(b, a) == pytest.approx(expected.forecasts_error[0, number], rel=1e-7, abs=1e-9)
            deviation = float(np.sqrt(expected.forecasts_error_cov[0, 0, number]))
            assert fit.scale_at(a) == pytest.approx(deviation, rel=1e-7)
            assert fit.hedge_ratio == pytest.approx(expected.predicted_state[1, number], rel=1e-7)
            assert fit.intercept == pytest.approx(expected.predicted_state[0, number], rel=1e-7, abs=1e-7)
        kalman.update(b, a)


def test_in_logarithms_it_says_what_it_says_of_prices() -> None:
    """delta is the same statement, and neither the currency nor the level of a price says anything."""
    random = np.random.default_rng(7)
    moves = 1e-6 * np.cumsum(random.normal(size=(2, 300)), axis=1)
    prices, logs, dear = Kalman(50, 1e-3), Kalman(50, 1e-3, logs=True), Kalman(50, 1e-3, logs=True)
    for b, a in samples(1 + moves[0], 1 + moves[1]):
        prices.update(b, a)
        logs.update(np.log(b), np.log(a))
        dear.update(np.log(3e3 * b), np.log(6e4 * a))
    for other in (logs, dear):
        assert other.get().hedge_ratio == pytest.approx(prices.get().hedge_ratio, rel=1e-4)
        assert other.get().hedge_ratio_se == pytest.approx(prices.get().hedge_ratio_se, rel=1e-4)
        assert other.get().scale == pytest.approx(prices.get().scale, rel=1e-4)


def test_nothing_is_presumed_of_the_hedge_ratio() -> None:
    """The ratio of the logarithms of two prices is no elasticity: whoever begins there never leaves."""
    random = np.random.default_rng(4)
    x = np.log(6e4) + np.cumsum(random.normal(0, 5e-5, 300))
    y = np.log(3e3) + 1.3 * (x - x[0]) + random.normal(0, 3e-5, 300)
    kalman = Kalman(300, logs=True)
    for b, a in samples(y, x):
        kalman.update(b, a)
    fit = kalman.get()
    assert fit.hedge_ratio_se is not None
    assert fit.hedge_ratio == pytest.approx(1.3, abs=3 * fit.hedge_ratio_se)
    assert fit.hedge_ratio_se < 0.02


def test_what_determines_the_line_is_not_judged() -> None:
    kalman = Kalman(50, delta=0)
    for number, (b, a) in enumerate([(1.0, 2.0), (1.2, 2.0), (5.0, 3.0), (5.0, 3.0)]):
        kalman.update(b, a)
        weight = kalman.state()[-2]
        # The second y is forecast, by the first; what the first move of x does nobody knows.
        assert weight == pytest.approx([0, 1, 1, 1 + forgetting_of(50)][number])


def filtered(y: Array, x: Array, observation: float | None = None) -> tuple[Kalman, list[KalmanFit]]:
    kalman, fits = Kalman(100, 1e-5, observation), []
    for number, (b, a) in enumerate(samples(y, x)):
        if number >= 3:
            fits.append(kalman.get())
        kalman.update(b, a)
    return kalman, fits


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e3])
def test_an_unknown_observation_variance_is_estimated_at_every_scale(size: float) -> None:
    random = np.random.default_rng(1)
    x = 100 + np.cumsum(random.normal(0, 0.1, 3_000))
    y = 2 * x + random.normal(0, 0.2, 3_000)
    _, fits = filtered(size * y, x)
    later = zip(fits[500:], y[503:].tolist(), x[503:].tolist(), strict=True)
    assert np.std([fit.zscore(size * b, a) for fit, b, a in later]) == pytest.approx(1, abs=0.1)
    assert fits[-1].variances[2] == pytest.approx((0.2 * size) ** 2, rel=0.5)


def test_the_estimated_variance_is_the_weighted_mean_of_the_scaled_innovations() -> None:
    y, x = legs("walk", 2, 150)
    kalman, _ = filtered(y, x)
    _, known = filtered(y, x, observation=1.0)
    scaled = [fit.zscore(b, a) ** 2 for fit, (b, a) in zip(known, samples(y, x)[3:], strict=True)]
    # The third observation is judged too, but ``get`` does not speak before it.
    weights = forgetting_of(100) ** np.arange(len(scaled))[::-1]
    total, squares = kalman.state()[-2:]
    assert total == pytest.approx(weights.sum() + forgetting_of(100) ** len(scaled))
    assert squares > weights @ scaled


def test_its_standard_errors_are_those_of_a_market_that_moves_as_it_believes() -> None:
    random = np.random.default_rng(5)
    n, delta, unit = 400, 1e-3, 100.0
    step = np.sqrt(delta / (1 - delta)) * 0.5
    errors = []
    for _ in range(80):
        x = unit + np.cumsum(np.append(0, random.normal(0, 1, n - 1)))
        intercepts = np.cumsum(random.normal(0, step, n))
        hedge_ratios = 1 + np.cumsum(random.normal(0, step / unit, n))
        y = intercepts + hedge_ratios * x + random.normal(0, 0.5, n)
        kalman = Kalman(100, delta)
        for b, a in samples(y[:-1], x[:-1]):
            kalman.update(b, a)
        fit = kalman.get()
        error = (fit.hedge_ratio - hedge_ratios[-1]) / (fit.hedge_ratio_se or 0)
        errors.append(
            (
                error,
                (fit.intercept - intercepts[-1]) / fit.intercept_se,
                fit.zscore(float(y[-1]), float(x[-1])),
            )
        )
    assert np.mean(np.square(errors), axis=0) == pytest.approx([1, 1, 1], abs=0.35)


@pytest.mark.parametrize(("delta", "observation"), [(1.0, None), (-0.1, None), (0.1, 0.0), (0.1, -1.0)])
def test_variances_below_0_are_refused(delta: float, observation: float | None) -> None:
    with pytest.raises(ValueError, match="expected"):
        Kalman(10, delta, observation)
