"""Analysis of the fake API."""

import math
from typing import Any

from tests.e2e.fake_stability import STABILITY, stability

SECOND = 1_000_000
WIDTHS = {"1s": 1, "1m": 60, "5m": 300, "1h": 3600}
MEANING = {
    "cointegrated": "The legs are cointegrated at 5 %, both ways round",
    "not_cointegrated": "No cointegration was found at 5 %",
    "broken": "The line of the legs broke",
}


def analysis(pair: str, bars: int, now_us: int, conclusion: str, **asked: Any) -> dict[str, Any]:
    """Return an analysis of `bars` bars up to `now_us`, in the shape of the real one."""
    width = WIDTHS[asked["interval"]]
    newest = now_us // SECOND // width * width
    starts = range(newest - bars * width, newest, width)
    y, _, x = pair.partition("-")
    few = f"at least 30 observations are needed, there are {bars}" if bars < 30 else None
    test: dict[str, Any] = {
        "statistic": -4.21 if conclusion == "cointegrated" else -2.2,
        "p_value": 0.0031 if conclusion == "cointegrated" else 0.42,
        "lags": 2,
        "samples": bars - 3,
        "critical_values": {"1%": -3.92, "5%": -3.35, "10%": -3.05},
    }
    small = {"statistic": 3.2, "p_value": 0.0712}
    parts = {
        "regression": {
            "hedge_ratio": 0.05123456,
            "hedge_ratio_se": 0.0004,
            "low": 0.0504,
            "high": 0.0520,
            "level": 0.95,
            "hac_se": 0.0011,
            "hac_low": 0.0490,
            "hac_high": 0.0534,
            "hac_lags": 12,
            "intercept": 12.25,
            "intercept_se": None,
            "scale": 2.125,
            "r_squared": 0.9712,
            "r_squared_samples": bars,
            "samples": bars,
        },
        "diagnostics": {
            "durbin_watson": 1.91,
            "ljung_box": small,
            "arch": small,
            "lags": 10,
            "jarque_bera": small,
            "skew": 0.12,
            "kurtosis": 3.4,
        },
        **{f"adf_{leg}": {**test, "statistic": -1.83, "p_value": 0.366} for leg in ("y", "x")},
        "adf_spread": test,
        "engle_granger_y_on_x": test,
        "engle_granger_x_on_y": {**test, "statistic": test["statistic"] + 0.1},
        **({} if few else stability(starts, is_broken=conclusion == "broken")),
        "half_life": {
            "samples": 12.4,
            "seconds": 12.4 * width,
            "corrected": 14.1,
            "low": 8.2,
            "high": 31.5,
            "coefficient": 0.946,
            "standard_error": 0.0145,
            "reason": None,
        },
        "hurst": {"exponent": 0.31, "standard_error": 0.052, "longest": 50},
    }
    parts |= dict.fromkeys(STABILITY) if few else {}
    return {
        "feed": "synthetic",
        "dataset": None,
        "pair": pair,
        "y": y,
        "x": x,
        "bar_s": float(width),
        "method": asked["method"],
        "transform": asked["transform"],
        "window": asked["window"],
        "min_samples": min(30, asked["window"]),
        "refit_every": 1,
        "trend": "c",
        "lags": "aic",
        **_span(starts),
        "bars": bars,
        "bars_y": bars,
        "bars_x": bars + 2,
        "breaks": 1,
        "carried": "drop",
        "carried_y": 0,
        "carried_share_y": 0.0,
        "carried_x": 0,
        "carried_share_x": 0.0,
        "bars_available": None,
        "cut": None,
        "data_every": 1,
        "verdict": {
            "conclusion": "not_enough_data" if few else conclusion,
            "text": f"No verdict: {few}."
            if few
            else f"{MEANING[conclusion]}: Engle-Granger -4.21, p = 0.0031.",
            "notes": [] if few else ["Half-life: 12.4 bars."],
        },
        "not_enough_data": dict.fromkeys((*parts, "rolling"), few) if few else {},
        **(dict.fromkeys(parts) if few else parts),
        "data": [_point(start, few is None) for start in starts],
    }


def _span(starts: range) -> dict[str, Any]:
    first, last = (starts[0] * SECOND, starts[-1] * SECOND) if len(starts) else (None, None)
    return {"first_us": first, "first_time": None, "last_us": last, "last_time": None}


def _point(start: int, is_known: bool) -> dict[str, Any]:
    z = 1.6 * math.sin(start / 40) + 0.7 * math.sin(start / 7)
    numbers = {
        "hedge_ratio": 0.0512 + 0.0004 * math.sin(start / 90),
        "intercept": 12.5,
        "spread": 2.1 * z,
        "zscore": z,
        "correlation": 0.9 + 0.05 * math.sin(start / 60),
        "sample_spread": 2.0 * z,
        "sample_zscore": z,
    }
    known = {**(numbers if is_known else dict.fromkeys(numbers)), "structural_break": False}
    return {"start_us": start * SECOND, "start_time": "", "y_price": 3400.0, "x_price": 64000.0, **known}
