"""Structural breaks of the fake API: one in the middle of the bars, or none."""

from typing import Any

SECOND = 1_000_000
STABILITY = (
    "gregory_hansen_y_on_x",
    "gregory_hansen_x_on_y",
    "structural_break",
    "edge",
    "thirds",
    "cusum",
    "innovations",
    "returns_correlation",
    "price_correlation",
)


def stability(starts: range, *, is_broken: bool) -> dict[str, Any]:
    """Return the tests for a break in the shape of the real ones; `starts` are those of the bars, in seconds."""
    middle, last = starts[len(starts) // 2] * SECOND, starts[-1] * SECOND
    wald = {"critical_value": 16.4, "found": False}
    at = {"at_us": middle, "at_time": ""}
    gregory_hansen = {
        "statistic": -6.1,
        "lags": 2,
        "samples": len(starts) - 3,
        "critical_values": {"1%": -5.47, "5%": -4.95, "10%": -4.68},
        **at,
    }
    slope = {"bars": len(starts) // 3, "hedge_ratio": 0.0512, "hac_se": 0.0011}
    return {
        "gregory_hansen_y_on_x": gregory_hansen,
        "gregory_hansen_x_on_y": gregory_hansen,
        "structural_break": {
            "test": "sup_wald",
            "statistic": 52.1 if is_broken else 6.2,
            "critical_value": 16.4,
            "found": is_broken,
            **at,
            "hedge_ratio_before": 0.0512,
            "intercept_before": 12.25,
            "hedge_ratio_after": 0.0614,
            "intercept_after": -3.5,
        },
        "edge": {
            "statistic": 1.2,
            **wald,
            "critical_value": 4.0,
            "bars": 15,
            "first_us": last - 14 * SECOND,
            "first_time": "",
            "last_us": last,
            "last_time": "",
        },
        "thirds": {
            "statistic": 6.5,
            **wald,
            "slopes": [
                {**slope, "first_us": starts[len(starts) * part // 3] * SECOND, "first_time": ""}
                for part in range(3)
            ],
        },
        "cusum": {
            "statistic": 0.8,
            "critical_values": {"1%": 1.43, "5%": 1.18, "10%": 1.05},
            "lags": 12,
            **at,
        },
        "innovations": {
            "variance_ratio": {"ratio": 1.1, "p_value": 0.42},
            "arch": {"statistic": 9.1, "p_value": 0.52},
            "lags": 10,
            "persistence": 0.91,
        },
        "returns_correlation": 0.71,
        "price_correlation": 0.93,
    }
