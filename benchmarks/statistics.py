"""Accuracy of verdicts and intervals, on pairs with a known truth.

    python -m benchmarks.statistics [--runs 1000]      all of it, into benchmarks/results/ and docs/statistics.md
    python -m benchmarks.statistics quantiles          the constants of services/quant that are simulated

The short form runs with the tests: tests/unit/quant/test_verdict.py, test_half_life.py, test_hac.py.
"""

import services.quant.single_core  # noqa: F401, I001  before numpy counts the cores

import json
import math
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtri

from services.quant.statistical_tests.split_lines import one_line
from services.quant.statistical_tests.hac import hac_error
from services.quant.statistical_tests.half_life import HalfLife, half_life_interval
from services.quant.options import AnalysisOptions
from services.quant.analysis.pair_analysis import analyse
from tests.unit.quant import tapes
from tests.unit.quant.tapes import Make, autoregression

RESULT = Path(__file__).parent / "results" / "statistics.json"
DOCUMENT = Path(__file__).parents[1] / "docs" / "statistics.md"
MARKS = "<!-- benchmarks.statistics -->\n", "<!-- the end of it -->\n"
SEED = 20_230_311
NEAR = 0.1
_WORKERS = 2


class Case(NamedTuple):
    """What is simulated; `date` is the share of the bars before the break."""

    truth: str
    name: str
    make: Make
    n: int = 500
    date: float | None = None


CASES = (
    Case("independent", "walks", tapes.independent, 100),
    Case("independent", "walks", tapes.independent),
    *(Case("stable", f"b = {b:g}", tapes.stable(b), n) for n in (60, 100) for b in (0.0, 0.5)),
    *(Case("stable", f"b = {b:g}", tapes.stable(b)) for b in (0.0, 0.5, 0.8, 0.9, 0.95)),
    *(Case("stable", f"GARCH, b = {b:g}", tapes.stable_clustered(b)) for b in (0.5, 0.9)),
    Case("stable", "Student's t of 3, b = 0.9", tapes.stable_heavy(0.9)),
    Case("stable", "X follows the spread, b = 0.5", tapes.stable_followed(0.5)),
    Case("stable", "bid-ask bounce, b = 0.5", tapes.stable_bouncing(0.5)),
    *(Case("broken", f"slope 1 to 1.2, b = {b:g}", tapes.bent(b), date=0.5) for b in (0.0, 0.5, 0.8)),
    Case("broken", "slope 1 to 1.2, b = 0.8", tapes.bent(0.8), 1_000, date=0.5),
    *(
        Case("broken", f"slope 1 to 1.2 with a jump, b = {b:g}", tapes.turned(b), date=0.5)
        for b in (0.0, 0.8)
    ),
    Case("broken", "slope 1 to 1.2 after 30 %, b = 0", tapes.bent(0.0, share=0.3), date=0.3),
    Case("broken", "slope 1 to 1.2 with a jump after 96 %, b = 0.5", tapes.turned(0.5, share=0.96)),
    Case("broken", "a peg breaks and comes back", tapes.depegged),
)


def verdicts(case: Case, runs: int) -> dict[str, Any]:
    """Return the share of each conclusion, and of dates within a tenth of the bars where there is one."""
    random = np.random.default_rng([SEED, CASES.index(case)])
    told: Counter[str] = Counter()
    dates = []
    for _ in range(runs):
        found = analyse(*case.make(random, case.n), AnalysisOptions())
        told[found.verdict.conclusion] += 1
        if (
            case.date is not None
            and found.verdict.conclusion == "broken"
            and found.structural_break is not None
        ):
            dates.append(abs(found.structural_break.at / case.n - case.date) < NEAR)
    return {
        "truth": case.truth,
        "name": case.name,
        "bars": case.n,
        "runs": runs,
        "told": {name: round(count / runs, 4) for name, count in sorted(told.items())},
        "date_within_a_tenth": round(float(np.mean(dates)), 3) if dates else None,
    }


def _numbered(case: int, runs: int) -> dict[str, Any]:
    # What makes a pair cannot be sent to another process, its number can.
    return verdicts(CASES[case], runs)


def half_lives(runs: int) -> list[dict[str, Any]]:
    """Return how often the interval of a half-life holds the truth, and its median, of a line that was fitted."""
    rows = []
    for n in (60, 100, 500, 2_000):
        for rho in (0.5, 0.9, 0.986, 1.0):
            truth = math.inf if rho == 1 else math.log(0.5) / math.log(rho)
            covered, middles, plain = 0, [], []
            for b in _estimates(rho, n, runs, fitted=True):
                found = half_life_interval(HalfLife(None, float(b), 0.0, n))
                low, middle, high = (
                    math.inf if one is None else one for one in (found.low, found.samples, found.high)
                )
                covered += low <= truth <= high
                middles.append(middle)
                plain.append(math.log(0.5) / math.log(b) if 0 < b < 1 else math.inf if b >= 1 else 0.0)
            rows.append(
                {
                    "steps": n,
                    "truth": _rounded(truth),
                    "held": round(covered / runs, 3),
                    "median_corrected": _rounded(float(np.median(middles))),
                    "median_of_least_squares": _rounded(float(np.median(plain))),
                }
            )
    return rows


def hedge_ratios(runs: int) -> list[dict[str, Any]]:
    """Return how often intervals of 95 % of the hedge ratio hold it, at 500 bars."""
    rows = []
    for b in (0.0, 0.5, 0.8, 0.95):
        random = np.random.default_rng(SEED)
        classical = hac = 0
        for _ in range(runs):
            y, x = tapes.stable(b)(random, 500)
            line, moved = one_line(y, x), x - x.mean()
            off = abs(line.hedge_ratio - 1)
            classical += off < 1.965 * math.sqrt(line.squares / 498 / float(moved @ moved))
            hac += off < 1.96 * hac_error(line.values, x).standard_error
        rows.append({"b": b, "classical": round(classical / runs, 3), "hac": round(hac / runs, 3)})
    return rows


def known_breaks(runs: int) -> list[dict[str, Any]]:
    """Return how often a break is found by who knows its date, its shape and b, at two sizes: no test finds more.

    That is Student's t of the bend in generalised least squares, of normal shocks.
    """
    rows = []
    for b in (0.0, 0.5, 0.8, 0.9):
        random, found = np.random.default_rng(SEED), []
        for _ in range(runs):
            y, x = tapes.bent(b)(random, 500)
            bend = np.where(np.arange(500) >= 250, x - x[249], 0.0)
            columns = [one[1:] - b * one[:-1] for one in (np.ones(500), x, bend)]
            design, target = np.column_stack(columns), y[1:] - b * y[:-1]
            error = math.sqrt(np.linalg.inv(design.T @ design)[2, 2])
            found.append(abs(np.linalg.lstsq(design, target)[0][2]) / error)
        shares = {f"{size:g}": float(np.mean(np.array(found) > -ndtri(size / 200))) for size in (5, 2)}
        rows.append({"b": b, **{size: round(share, 3) for size, share in shares.items()}})
    return rows


def _estimates(rho: float, n: int, runs: int, *, fitted: bool) -> np.ndarray[Any, np.dtype[np.float64]]:
    random = np.random.default_rng(SEED)
    found = []
    for _ in range(runs):
        spread = autoregression(random, n + 1, rho) if rho < 1 else np.cumsum(random.normal(size=n + 1))
        if fitted:
            spread = one_line(spread, np.cumsum(random.normal(size=n + 1))).values
        before, after = spread[:-1], spread[1:]
        moved = before - before.mean()
        found.append(float(moved @ after) / float(moved @ moved))
    return np.array(found)


def _rounded(value: float) -> float | None:
    return float(f"{value:.3g}") if math.isfinite(value) else None


def quantiles(runs: int) -> list[str]:
    """Return the tables of half_life.py and the critical values of the CUSUM, made again."""
    n, lines = 400, []
    for fitted in (False, True):
        lines.append(
            f"half_life, {'fitted' if fitted else 'given'} line: argument, quantiles of 2.5, 50, 97.5 %"
        )
        for argument in (0, 1, 2, 4, 8, 16, 32, 64, 128, 512):
            rho = (
                brentq(lambda one, of=argument: 8 * n * (1 - one * one) / (1 + 3 * one) ** 2 - of, 0, 1)
                if argument
                else 1.0
            )
            error = math.sqrt((1 - rho * rho) / n + 20 / n**2)
            standard = (_estimates(rho, n, runs, fitted=fitted) - rho) / error
            lines.append(
                f"{argument:>4} " + "  ".join(f"{q:.3f}" for q in np.quantile(standard, [0.025, 0.5, 0.975]))
            )
    random, sums = np.random.default_rng(SEED), []
    for _ in range(runs):
        left = one_line(random.normal(size=1_000), np.cumsum(random.normal(size=1_000)))
        sums.append(float(np.abs(np.cumsum(left.values)).max()) / math.sqrt(left.squares))
    ends = np.quantile(sums, [0.99, 0.95, 0.9])
    return [*lines, "CUSUM at 1, 5, 10 %: " + ", ".join(f"{one:.2f}" for one in ends)]


def tables(result: dict[str, Any]) -> str:
    """Return the result as the tables of docs/statistics.md."""
    columns = ("cointegrated", "broken", "unstable", "one_way", "not_cointegrated")
    lines = [
        f"| truth | pairs | bars | runs | {' | '.join(columns)} | date within a tenth |",
        "|---" * 10 + "|",
    ]
    for row in result["verdicts"]:
        shares = " | ".join(f"{100 * row['told'].get(name, 0):.1f} %" for name in columns)
        date = row["date_within_a_tenth"]
        said = "" if date is None else f"{100 * date:.0f} %"
        lines.append(
            f"| {row['truth']} | {row['name']} | {row['bars']} | {row['runs']} | {shares} | {said} |"
        )
    lines += ["", "| steps | true half-life | held at 95 % | median, corrected | median, least squares |"]
    lines.append("|---" * 5 + "|")
    for row in result["half_lives"]:
        truth, corrected, plain = (
            "none" if row[name] is None else f"{row[name]:g}"
            for name in ("truth", "median_corrected", "median_of_least_squares")
        )
        lines.append(f"| {row['steps']} | {truth} | {100 * row['held']:.1f} % | {corrected} | {plain} |")
    lines += ["", "| b of the spread | classical interval holds | HAC interval holds |", "|---|---|---|"]
    lines += [
        f"| {row['b']:g} | {100 * row['classical']:.1f} % | {100 * row['hac']:.1f} % |"
        for row in result["hedge_ratios"]
    ]
    lines += ["", "| b of the spread | found at a size of 5 % | of 2 % |", "|---|---|---|"]
    lines += [
        f"| {row['b']:g} | {100 * row['5']:.0f} % | {100 * row['2']:.0f} % |"
        for row in result["known_breaks"]
    ]
    return "\n".join(lines) + "\n"


def documented(text: str, made: str) -> str:
    """Return `text` with the tables between its marks replaced by `made`."""
    before, rest = text.split(MARKS[0])
    return f"{before}{MARKS[0]}{made}{MARKS[1]}{rest.split(MARKS[1])[1]}"


def main(*arguments: str) -> None:
    """Simulate everything, and keep it."""
    runs = int(arguments[arguments.index("--runs") + 1]) if "--runs" in arguments else 1_000
    if "quantiles" in arguments:
        print(*quantiles(20 * runs), sep="\n")
        return
    with ProcessPoolExecutor(_WORKERS) as pool:
        # Of independent walks the share that is wanted is small, so it takes more of them.
        many = [runs if case.truth == "independent" else max(1, runs // 5) for case in CASES]
        found = []
        for row in pool.map(_numbered, range(len(CASES)), many):
            found.append(row)
            print(json.dumps(row), flush=True)
    result = {
        "verdicts": found,
        "half_lives": half_lives(runs),
        "hedge_ratios": hedge_ratios(runs),
        "known_breaks": known_breaks(runs),
    }
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    DOCUMENT.write_text(documented(DOCUMENT.read_text(), tables(result)))
    print(tables(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
