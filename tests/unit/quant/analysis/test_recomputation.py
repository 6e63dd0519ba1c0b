"""Recomputed seconds equal what the window said live, and what the printed program says of the same samples."""

import contextlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.contracts.messages import PairConfig
from services.quant.analysis.recomputation import INDEPENDENT, program, recompute
from services.quant.estimators.registry import ESTIMATORS, MOVING, Method
from services.quant.transform import Transform
from services.stream_analytics.alignment import Sample
from services.stream_analytics.pair_window import PairWindow
from services.stream_analytics.trades import TapeTrade

SECOND = 1_000_000
WINDOW = 60
CASES = [(method, transform) for method in ESTIMATORS for transform in ("price", "log")]


def legs(seed: int, count: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    draw = np.random.default_rng(seed)
    x = 60_000 * np.exp(np.cumsum(5e-5 * draw.standard_normal(count)))
    y = 3_000 * (x / 60_000) ** 1.3 * np.exp(3e-5 * draw.standard_normal(count))
    return y.round(2), x.round(1)


def live(method: Method, transform: Transform, y: np.ndarray[Any, Any], x: np.ndarray[Any, Any]) -> list[Any]:
    """Return what the stream says of each second."""
    window = PairWindow(
        PairConfig(pair="ETHUSDT-BTCUSDT", window=WINDOW, min_samples=30, method=method, transform=transform)
    )
    said = []
    for number, (b, a) in enumerate(zip(y.tolist(), x.tolist(), strict=True), start=1):
        end_us = number * SECOND
        sample = Sample(end_us, TapeTrade(end_us - 2, b), TapeTrade(end_us - 1, a))
        said.append(window.judge(sample))
        window.learn(sample, said[-1])
    return said


@pytest.mark.parametrize(("method", "transform"), CASES)
@given(seed=st.integers(0, 2**31), share=st.floats(0.3, 1))
@settings(max_examples=5, deadline=None)
def test_every_method_says_again_what_the_stream_has_said(
    method: Method, transform: Transform, seed: int, share: float
) -> None:
    if method == "ols_origin" and transform == "log":
        return
    y, x = legs(seed, 200)
    at = round(share * 199)
    signal = live(method, transform, y[: at + 1], x[: at + 1])[-1]
    first = 0 if method in MOVING else max(0, at - WINDOW)
    found = recompute(method, WINDOW, transform, (y[first:at], x[first:at]), (y[at], x[at]))
    assert found.zscore == pytest.approx(signal.zscore, rel=1e-9, abs=1e-9)
    assert found.hedge_ratio == pytest.approx(signal.hedge_ratio, rel=1e-9)
    assert found.spread is not None
    assert found.scale is not None
    assert found.predicted == pytest.approx(found.y - found.spread)
    assert found.zscore == pytest.approx(found.spread / found.scale)


@pytest.mark.parametrize(("method", "transform"), CASES)
def test_the_program_prints_the_same(method: Method, transform: Transform, tmp_path: Path) -> None:
    if method == "ols_origin" and transform == "log":
        return
    y, x = legs(7, WINDOW + 1)
    rows = pd.DataFrame({"y_price": y, "x_price": x, "in_window": [True] * WINDOW + [False]})
    rows.to_csv(tmp_path / "work", index=False)
    found = recompute(method, WINDOW, transform, (y[:-1], x[:-1]), (y[-1], x[-1]))
    text = program(method, WINDOW, transform, str(tmp_path / "work"))
    assert ("pairstream" in text or "services" in text) == (method not in INDEPENDENT)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(text, "program", "exec"), {})  # noqa: S102
    zscore = printed.getvalue().rpartition("z-score ")[2]
    assert float(zscore) == pytest.approx(found.zscore, rel=1e-9)


def test_a_window_that_says_nothing_gives_the_reason() -> None:
    flat = np.full(50, 100.0)
    found = recompute("ols", WINDOW, "price", (flat, flat), (100.0, 101.0))
    assert (found.zscore, found.reason) == (None, "x did not move in the window")
