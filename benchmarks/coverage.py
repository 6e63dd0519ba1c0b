"""Coverage of the 95 % interval of the hedge ratio, on simulated tapes.

    python -m benchmarks.coverage [--tapes 1000]

Each tape is of the market that an estimator believes in: an x near 60,000 that walks by 5e-5 a second, a y near 3,000
on a line of it with an elasticity of 1.3, and white noise of 3e-5 of y. The line is one for all of the tape, or walks
as a Kalman filter takes it to with its own delta. Estimators are those of a live pair with the default window.
docs/coverage.md says what came of it.
"""

import argparse
import json
import math
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.market_speed import machine
from services.quant.analysis.regression import describe
from services.quant.estimators.kalman import DELTA
from services.quant.estimators.registry import Method, create
from services.quant.transform import Transform

Values = NDArray[np.float64]

AFTER = (60, 300, 3_600)
LEVEL = 0.95
METHODS: tuple[Method, ...] = ("kalman", "rls", "ewma", "ols", "huber", "theil_sen", "tls")
TRANSFORMS: tuple[Transform, ...] = ("price", "log")
RESULT = Path(__file__).parent / "results/coverage.json"

_WINDOW = 300
_X, _Y, _ELASTICITY = 6e4, 3e3, 1.3
_MOVE, _NOISE = 5e-5, 3e-5


class Case(NamedTuple):
    """An estimator, and what the line of its market does."""

    method: Method
    transform: Transform
    walks: bool = False


class Coverage(NamedTuple):
    """How often the interval held the truth after so many samples, None where the method has no interval.

    `error` is the root mean square error of the hedge ratio as a share of it, `width` the same mean of the interval's
    widths, in units of what the error asks for: 1 is as wide as it has to be.
    """

    samples: int
    covered: float | None
    width: float | None
    error: float


CASES = (
    *(Case(method, transform) for method in METHODS for transform in TRANSFORMS),
    *(Case("kalman", transform, walks=True) for transform in TRANSFORMS),
)


def tape(case: Case, seed: int, samples: int) -> tuple[Values, Values, Values]:
    """Return y and x, transformed, and the true hedge ratio at each of them."""
    random = np.random.default_rng(seed)
    moved = np.append(0.0, np.cumsum(random.normal(0, _MOVE, samples - 1)))
    noise = random.normal(0, _NOISE, samples)
    step = _NOISE * math.sqrt(DELTA / (1 - DELTA)) if case.walks else 0.0
    rest, elasticity = np.cumsum(random.normal(0, step, (2, samples)), axis=1)
    rest += 1 - _ELASTICITY + noise
    elasticity += _ELASTICITY
    if case.transform == "log":
        return math.log(_Y) - 1 + rest + elasticity * (1 + moved), math.log(_X) + moved, elasticity
    share = np.exp(moved)
    return _Y * (rest + elasticity * share), _X * share, elasticity * _Y / _X


def intervals(case: Case, seed: int, after: Iterable[int]) -> Iterator[tuple[float, float, float, float]]:
    """Yield the true hedge ratio, the estimate, and its interval (nan if there is none) after so many samples each."""
    points = sorted(after)
    y, x, truth = tape(case, seed, points[-1])
    estimator, known = create(case.method, _WINDOW, case.transform), 0
    for point in points:
        for pair in zip(y[known:point].tolist(), x[known:point].tolist(), strict=True):
            estimator.update(*pair)
        known = point
        seen = slice(max(0, point - _WINDOW), point)
        found = describe(case.method, estimator.get(), y[seen], x[seen], np.zeros_like(y[seen]), LEVEL)
        low, high = (math.nan if end is None else end for end in (found.low, found.high))
        yield float(truth[point - 1]), found.hedge_ratio, low, high


def coverage(case: Case, tapes: int, after: tuple[int, ...] = AFTER) -> list[Coverage]:
    """Return what came of so many tapes, after each number of samples."""
    found = np.array([list(intervals(case, seed, after)) for seed in range(tapes)])
    rows = []
    for samples, (truth, estimate, low, high) in zip(after, np.moveaxis(found, 0, 2), strict=True):
        error = math.sqrt(np.mean((estimate - truth) ** 2))
        known = bool(np.isfinite(low).all())
        covered = float(np.mean((low <= truth) & (truth <= high))) if known else None
        width = math.sqrt(np.mean((high - low) ** 2)) / (2 * 1.96 * error) if known else None
        rows.append(Coverage(samples, covered, width, error / float(np.mean(truth))))
    return rows


def main() -> None:
    """Print a line for each case: covered, width, error after each number of samples; and keep them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tapes", type=int, default=1_000)
    tapes = parser.parse_args().tapes
    record: dict[str, Any] = {"tapes": tapes, "level": LEVEL, "machine": machine.facts(), "results": []}
    print(
        f"{tapes} tapes: covered (width, error) after "
        + ", ".join(f"{count:,}" for count in AFTER)
        + " samples"
    )
    with ProcessPoolExecutor() as pool:
        for case, rows in zip(CASES, pool.map(partial(coverage, tapes=tapes), CASES), strict=True):
            name = f"{case.method}, {case.transform}" + (", the line walks" if case.walks else "")
            print(f"{name:30}" + "".join(map(_cell, rows)), flush=True)
            record["results"].append({**case._asdict(), "after": [row._asdict() for row in rows]})
    RESULT.write_text(json.dumps(record, indent=1) + "\n")


def _cell(row: Coverage) -> str:
    if row.covered is None or row.width is None:
        return f"{'none':>8} (    , {row.error:.2e})"
    return f"{row.covered:>8.1%} ({row.width:.2f}, {row.error:.2e})"


if __name__ == "__main__":
    main()
