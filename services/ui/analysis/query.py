"""Query of an analysis panel, from its controls."""

from typing import Any, NamedTuple, get_args

from services.contracts.intervals import INTERVALS
from services.contracts.messages import Method
from services.ui.api.client import segment
from services.ui.widgets.formatting import UTC

METHODS: dict[str, str] = {
    "ols": "OLS",
    "tls": "TLS, orthogonal",
    "huber": "Huber",
    "theil_sen": "Theil-Sen",
    "rls": "RLS, recursive",
    "kalman": "Kalman filter",
    "ewma": "EWMA",
    "ols_origin": "OLS through the origin",
}
TRANSFORMS = {"price": "Prices", "log": "Log prices"}
TRENDS = {"n": "None", "c": "Constant", "ct": "Linear trend", "ctt": "Quadratic trend"}
LAGS = {"aic": "AIC", "bic": "BIC", **{str(lags): str(lags) for lags in (*range(13), 15, 20, 25, 30, 40, 50)}}
WIDTHS: dict[str, str] = {interval: interval for interval in INTERVALS}
USUAL: dict[str, Any] = {
    "method": "ols",
    "window": 300,
    "interval": "1s",
    "bars": 1800,
    "transform": "price",
    "intercept": True,
    "trend": "c",
    "lags": "aic",
    "start": "",
    "end": "",
}
MOMENTS = ("start", "end")
ASKED_AS = {"bars": "limit"}
"""Name of a control in the API, where it differs."""

assert set(METHODS) == set(get_args(Method))


class AnalysisQuery(NamedTuple):
    """Query to the API: its path and parameters, and the user's time zone."""

    path: str
    params: dict[str, Any]
    zone: str = UTC


def question(asks: dict[str, Any]) -> AnalysisQuery | str:
    """Return what to ask, or why the API cannot be asked that.

    `asks` is what the controls say, with ``pair``, ``zone``, ``start`` and ``end`` if not the newest bars are meant
    (from ``start`` on it is every bar, however many ``bars`` says), and ``dataset`` for uploaded ones.
    """
    params = {
        ASKED_AS.get(name, name): value
        for name, value in asks.items()
        if name in USUAL and name not in ("intercept", *MOMENTS) and value is not None
    }
    params |= {name: asks[name] for name in ("dataset", *MOMENTS) if asks.get(name)}
    if "start" in params:
        params.pop("limit", None)
    if asks.get("intercept") is False:
        if params.get("method", "ols") not in ("ols", "ols_origin"):
            return f"Without an intercept there is OLS alone, not {METHODS[params['method']]}."
        params["method"] = "ols_origin"
    if params.get("method") == "ols_origin" and params.get("transform") == "log":
        return "Log prices have no line without an intercept: its hedge ratio would depend on the unit of prices."
    return AnalysisQuery(f"/v1/pairs/{segment(asks['pair'])}/analysis", params, asks.get("zone") or UTC)
