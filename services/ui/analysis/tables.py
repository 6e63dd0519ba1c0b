"""Tables of the numbers of an analysis."""

from collections.abc import Iterator
from typing import Any

from services.ui.api.types import Analysis, GregoryHansen, Statistic, UnitRoot
from services.ui.charts import measures
from services.ui.widgets.formatting import UTC, moment

Row = dict[str, Any]

# A saved table has the API's values, with all their digits.
NUMBER = {"type": "rightAligned", "useValueFormatterForExport": False}
CRITICAL = {**NUMBER, "width": 56, "valueFormatter": {"function": "pairstreamDigits(params.value, 3)"}}
COLUMNS: list[Row] = [
    {"field": "name", "headerName": "Test", "pinned": "left", "width": 136, "tooltipField": "name"},
    {
        "field": "value",
        "headerName": "Statistic",
        "width": 66,
        "valueFormatter": {"function": "pairstreamDigits(params.value, 4)"},
        **NUMBER,
    },
    {
        "field": "p",
        "headerName": "p",
        **CRITICAL,
        "width": 72,
        "valueFormatter": {"function": "pairstreamProbability(params.value)"},
    },
    {"field": "5%", "headerName": "5 %", **CRITICAL},
    {"field": "lags", "headerName": "Lags", **CRITICAL},
    {"field": "samples", "headerName": "Samples", **CRITICAL, "width": 60},
    {"field": "1%", "headerName": "1 %", **CRITICAL},
    {"field": "10%", "headerName": "10 %", **CRITICAL},
    {"field": "note", "headerName": "Note", "width": 360, "tooltipField": "note"},
]
TESTS = {
    "engle_granger_y_on_x": "Engle-Granger Y on X",
    "engle_granger_x_on_y": "Engle-Granger X on Y",
    "adf_y": "ADF {y}",
    "adf_x": "ADF {x}",
    "adf_spread": "ADF spread",
}
NOTES = {
    "engle_granger_y_on_x": "are they cointegrated, {y} regressed on {x}?",
    "engle_granger_x_on_y": "are they cointegrated, {x} regressed on {y}?",
    "adf_y": "is {y} a random walk?",
    "adf_x": "is {x} a random walk?",
    "adf_spread": "biased towards stationary: the line was fitted to the same data",
}
BREAKS = {
    "gregory_hansen_y_on_x": "Gregory-Hansen Y on X",
    "gregory_hansen_x_on_y": "Gregory-Hansen X on Y",
    "structural_break": "Break of the line",
    "edge": "First or last bars, distance",
    "thirds": "Line by thirds, Wald",
    "cusum": "CUSUM of residuals",
    "innovations": "Innovations",
}
_BREAK_TESTS = {"sup_wald": "sup-Wald", "exp_wald": "exp-Wald of innovations"}
PARTS = {
    **TESTS,
    **BREAKS,
    "regression": "Hedge ratio",
    "half_life": "Half-life",
    "hurst": "Hurst exponent",
    "diagnostics": "Residual diagnostics",
    "returns_correlation": "Correlation of returns",
    "price_correlation": "Correlation of prices",
}
_LEVELS = ("1%", "5%", "10%")


def rows(found: Analysis, zone: str = UTC) -> list[Row]:
    """Return one row for each number; what could not be computed has its reason as its note, dates are in `zone`."""
    return [{"id": str(number), **row} for number, row in enumerate(_rows(found, zone))]


def named(part: str, found: Analysis) -> str:
    """Return what a part of the answer is called."""
    return PARTS.get(part, part).format(y=found.y, x=found.x)


def _rows(found: Analysis, zone: str) -> Iterator[Row]:
    for part in TESTS:
        yield _unit_root(part, found, getattr(found, part))
    for part in BREAKS:
        if getattr(found, part) is None:
            yield _missing(part, found)
        else:
            yield from _break(part, found, zone)
    yield from _line(found)
    for part in ("returns_correlation", "price_correlation"):
        value = getattr(found, part)
        yield _missing(part, found) if value is None else {"name": named(part, found), "value": value}
    yield from _life(found)
    yield from _residuals(found)


def _unit_root(part: str, found: Analysis, test: UnitRoot | None) -> Row:
    if test is None:
        return _missing(part, found)
    critical = test.critical_values or {}
    return {
        "name": named(part, found),
        "value": test.statistic,
        "p": test.p_value,
        "lags": test.lags,
        "samples": test.samples,
        **{level: critical.get(level) for level in _LEVELS},
        "note": NOTES[part].format(y=found.y, x=found.x),
    }


def _break(part: str, found: Analysis, zone: str) -> Iterator[Row]:
    name, test = named(part, found), getattr(found, part)
    if part == "innovations":
        note = "variance of the second half by that of the first"
        yield {
            "name": f"{name}, variance ratio",
            "value": test.variance_ratio.ratio,
            "p": test.variance_ratio.p_value,
            "note": note,
        }
        yield _statistic(f"{name}, ARCH", test.arch, "changing variance", test.lags)
        return
    row: Row = {"name": name, "value": test.statistic}
    if isinstance(test, GregoryHansen):
        row |= {"lags": test.lags, "samples": test.samples, **test.critical_values}
        row["note"] = f"allows for a break, most likely at {moment(test.at_us, zone)}"
    elif part == "cusum":
        row |= {"lags": test.lags, **test.critical_values, "note": f"greatest at {moment(test.at_us, zone)}"}
    else:
        row["5%"] = test.critical_value
    if part == "edge":
        row["note"] = (
            f"{moment(test.first_us, zone)} to {moment(test.last_us, zone)}, by the line of all others"
        )
    elif part == "structural_break":
        was = "hedge ratio" if test.found else "not found; likeliest, hedge ratio"
        row["note"] = (
            f"{moment(test.at_us, zone)}: {was} {test.hedge_ratio_before:.5g} before, "
            f"{test.hedge_ratio_after:.5g} since, by {_BREAK_TESTS[test.test]}"
        )
    elif part == "thirds":
        slopes = ", ".join(f"{slope.hedge_ratio:.5g} ± {slope.hac_se:.2g}" for slope in test.slopes)
        row["note"] = f"hedge ratios with HAC errors: {slopes}"
    yield row


def _line(found: Analysis) -> Iterator[Row]:
    line = found.regression
    if line is None:
        yield _missing("regression", found)
        return
    level = f"{100 * line.level:g} %"
    yield {
        "name": measures.HEDGE_RATIO.label,
        "value": line.hedge_ratio,
        "samples": line.samples,
        "note": found.method,
    }
    for end, value in (("low", line.low), ("high", line.high)):
        note = "" if value is not None else f"the method {found.method} has none here"
        yield {"name": f"{level} interval, {end}", "value": value, "samples": line.samples, "note": note}
    for end, value in (("low", line.hac_low), ("high", line.hac_high)):
        note = (
            "errors may be autocorrelated"
            if value is not None
            else f"the method {found.method} has none here"
        )
        yield {
            "name": f"{level} HAC interval, {end}",
            "value": value,
            "lags": line.hac_lags,
            "samples": line.samples,
            "note": note,
        }
    yield {"name": "Intercept", "value": line.intercept, "samples": line.samples}
    yield {"name": "R²", "value": line.r_squared, "samples": line.r_squared_samples}


def _life(found: Analysis) -> Iterator[Row]:
    life = found.half_life
    if life is None:
        yield _missing("half_life", found)
    else:
        yield {"name": "Half-life, bars", "value": life.samples, "note": life.reason or ""}
        for name, value, without in (
            ("corrected", life.corrected, "as likely a random walk's, which never comes back"),
            ("95 %, low", life.low, "that of a random walk"),
            ("95 %, high", life.high, "no end: a random walk is not excluded"),
        ):
            yield {
                "name": f"Half-life {name}, bars",
                "value": value,
                "note": without if value is None else "",
            }
        yield {"name": "Half-life, s", "value": life.seconds, "note": life.reason or ""}
    if found.hurst is None:
        yield _missing("hurst", found)
    else:
        note = f"0.5 is a random walk; standard error {found.hurst.standard_error:.2g}"
        yield {"name": "Hurst exponent", "value": found.hurst.exponent, "note": note}


def _residuals(found: Analysis) -> Iterator[Row]:
    left = found.diagnostics
    if left is None:
        yield _missing("diagnostics", found)
        return
    yield {"name": "Durbin-Watson", "value": left.durbin_watson, "note": "2 without autocorrelation"}
    yield _statistic("Ljung-Box", left.ljung_box, "autocorrelation", left.lags)
    yield _statistic("ARCH", left.arch, "changing variance", left.lags)
    yield _statistic("Jarque-Bera", left.jarque_bera, "normality")
    yield {"name": "Skew", "value": left.skew, "note": "0 of a symmetric distribution"}
    yield {"name": "Kurtosis", "value": left.kurtosis, "note": "3 of a normal distribution"}


def _statistic(name: str, test: Statistic, of: str, lags: int | None = None) -> Row:
    return {"name": name, "value": test.statistic, "p": test.p_value, "lags": lags, "note": f"of {of}"}


def _missing(part: str, found: Analysis) -> Row:
    reason = found.not_enough_data.get(part, "not enough data")
    return {"name": named(part, found), "value": None, "note": reason}
