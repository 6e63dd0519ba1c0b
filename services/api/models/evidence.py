"""Models of the evidence on a pair: regression, residual tests, unit roots, half-life, verdict."""

from typing import Annotated

from pydantic import Field

from services.api.models.base import Record
from services.quant.options import Conclusion

PValue = Annotated[
    float, Field(ge=0, le=1, description="How likely that or more is by chance.", examples=[0.0312])
]
IID = "as far as errors are independent and of equal variance: see hac_low"
Transformed = "In units of y as transformed: quote currency, or its logarithm."


class Regression(Record):
    """y = intercept + hedge_ratio * x, both legs transformed, over the whole range."""

    hedge_ratio: Annotated[
        float,
        Field(
            description="y per x; with logarithms % per %. Of theil_sen over more than 632 bars the median of 200,000 "
            "of the slopes, some 1e-5 of it off.",
            examples=[0.0512],
        ),
    ]
    hedge_ratio_se: Annotated[
        float | None,
        Field(
            description=f"Its standard error, {IID}; null for tls and theil_sen. "
            "Of kalman, for a hedge ratio that walks as the filter takes it to.",
            examples=[0.0004],
        ),
    ]
    low: Annotated[
        float | None,
        Field(
            description="Lower end of the hedge ratio's confidence interval: Student's t for ols and ols_origin, "
            "normal for huber, rls, ewma and kalman, Sen's ranks for theil_sen of up to 632 bars, otherwise null. "
            f"It is wide enough {IID}.",
            examples=[0.0504],
        ),
    ]
    high: Annotated[float | None, Field(description=f"Upper end of it, {IID}.", examples=[0.052])]
    level: Annotated[float, Field(description="The confidence of the interval.", examples=[0.95])]
    hac_se: Annotated[
        float | None,
        Field(
            description="Its standard error though errors are autocorrelated and of changing variance: Newey-West. Of "
            "ols and ols_origin, null for others and where the spread is only rounding.",
            examples=[0.0011],
        ),
    ]
    hac_low: Annotated[
        float | None, Field(description="Lower end of the interval by hac_se, normal.", examples=[0.049])
    ]
    hac_high: Annotated[float | None, Field(description="Upper end of it.", examples=[0.0534])]
    hac_lags: Annotated[
        int | None,
        Field(
            description="Bars that hac_se looks back, by Andrews (1991) from the residuals.", examples=[12]
        ),
    ]
    intercept: Annotated[float, Field(description=Transformed, examples=[12.25])]
    intercept_se: Annotated[
        float | None, Field(description="Its standard error; null but for ols and kalman.", examples=[1.5])
    ]
    scale: Annotated[
        float,
        Field(
            description="Standard deviation of the spread; of huber and theil_sen the median absolute residual / "
            f"0.6745, of rls, kalman and ewma that of forecasts. {Transformed}",
            examples=[2.125],
        ),
    ]
    r_squared: Annotated[
        float | None,
        Field(
            description="1 - SSR / SST, of forecasts for rls, kalman and ewma; about 0 for ols_origin, as statsmodels "
            "has it. Null if y did not move, or nothing was forecast.",
            examples=[0.97],
        ),
    ]
    r_squared_samples: Annotated[
        int,
        Field(
            description="Bars in r_squared: all, or those that rls, kalman or ewma forecast.", examples=[500]
        ),
    ]
    samples: Annotated[int, Field(description="Bars in the regression.", examples=[500])]


class Statistic(Record):
    """A test of the residuals: a small p-value rejects that there is nothing to find."""

    statistic: Annotated[
        float,
        Field(
            description="Near 0 if there is nothing to find; for p_value compared with chi-squared.",
            examples=[3.2],
        ),
    ]
    p_value: PValue


class Diagnostics(Record):
    """Diagnostics of the spread of the whole range."""

    durbin_watson: Annotated[
        float,
        Field(description="2 without autocorrelation; near 0 intervals are too narrow.", examples=[1.91]),
    ]
    ljung_box: Annotated[Statistic, Field(description="Autocorrelation up to `lags`.")]
    arch: Annotated[Statistic, Field(description="Engle's test of changing variance, up to `lags`.")]
    lags: Annotated[int, Field(description="How many bars ljung_box and arch look back.", examples=[10])]
    jarque_bera: Annotated[Statistic, Field(description="Of normality.")]
    skew: Annotated[
        float, Field(description="Third standardised moment: 0 for a symmetric distribution.", examples=[0.1])
    ]
    kurtosis: Annotated[
        float, Field(description="Fourth standardised moment: 3 for a normal distribution.", examples=[3.4])
    ]


class UnitRoot(Record):
    """A test that rejects a unit root (ADF) or no cointegration (Engle-Granger) below its critical values."""

    statistic: Annotated[
        float,
        Field(
            description="The t-ratio of the lagged level, which has no t distribution: below a critical value the null "
            "hypothesis is rejected.",
            examples=[-4.2],
        ),
    ]
    p_value: Annotated[
        PValue,
        Field(
            description="MacKinnon (1994): asymptotic, so near 5 % it may be on the other side than critical_values, "
            "which know how many bars there are and decide."
        ),
    ]
    lags: Annotated[int, Field(description="Lagged differences in the regression.", examples=[2])]
    samples: Annotated[int, Field(description="Observations in the regression.", examples=[497])]
    critical_values: Annotated[
        dict[str, float] | None,
        Field(
            description="By level, MacKinnon (2010); null for Engle-Granger without a constant.",
            examples=[{"1%": -3.92, "5%": -3.35, "10%": -3.05}],
        ),
    ]


class HalfLife(Record):
    """Half-life of the spread, by an autoregression of order 1."""

    samples: Annotated[
        float | None,
        Field(
            description="Bars until half of a deviation is gone, by least squares. Biased, too short: where 50 is "
            "true, the median estimate is 14 over 200 bars and 26 over 500; a random walk has one. See `corrected`.",
            examples=[12.4],
        ),
    ]
    seconds: Annotated[
        float | None,
        Field(
            description="The same in seconds, by the mean distance of bars: longer than `bar_s` where some are "
            "missing.",
            examples=[744.0],
        ),
    ]
    corrected: Annotated[
        float | None,
        Field(
            description="Bars as likely too few as too many (Andrews 1993); null if that is a random walk, 0 if less "
            "than a bar.",
            examples=[14.1],
        ),
    ]
    low: Annotated[
        float | None,
        Field(
            description="Lower end of its interval of 95 %; null if that is a random walk.", examples=[8.2]
        ),
    ]
    high: Annotated[
        float | None,
        Field(
            description="Upper end; null if none: a random walk, which never comes back, is not excluded.",
            examples=[31.5],
        ),
    ]
    coefficient: Annotated[
        float,
        Field(
            description="b of s[t] = a + b * s[t-1] + e: the share of the spread that is left after one bar.",
            examples=[0.946],
        ),
    ]
    standard_error: Annotated[
        float,
        Field(
            description="Of the coefficient by least squares; (coefficient - 1) / it is the statistic of Dickey and "
            "Fuller.",
            examples=[0.0145],
        ),
    ]
    reason: Annotated[str | None, Field(description="Why there is none.")]


class Hurst(Record):
    """Half the slope of log mean squared move against log time."""

    exponent: Annotated[
        float, Field(description="0.5: a random walk; less: it comes back; more: it trends.", examples=[0.31])
    ]
    standard_error: Annotated[
        float,
        Field(
            description="Deviation of the exponents of random walks as long as this: 0.27 n^-0.265, simulated.",
            examples=[0.052],
        ),
    ]
    longest: Annotated[int, Field(description="The longest move looked at, in bars.", examples=[50])]


class Verdict(Record):
    """Verdict on the pair, with its reasons."""

    conclusion: Annotated[
        Conclusion,
        Field(
            description="By Engle-Granger below the 5 % critical value: both ways round (cointegrated), one way, which "
            "is not enough, or none. broken: two lines are needed, see structural_break. unstable: one line does not "
            "hold all along, by thirds, cusum, edge or the sign of the hedge ratio."
        ),
    ]
    text: Annotated[
        str,
        Field(
            description="The conclusion in words.",
            examples=[
                "No cointegration was found at 5 %: Engle-Granger -2.204, p = 0.42 (Y on X) and -2.031, p = 0.51 "
                "(X on Y), critical value -3.348."
            ],
        ),
    ]
    notes: Annotated[list[str], Field(description="What to keep in mind.")]
