"""Scan of a whole venue: all pairs of 50 and 500 symbols, both ways round, beside a loop of statsmodels' `coint`.

python -m benchmarks.scan [SYMBOLS ...]
"""

import resource
import sys
import time

import numpy as np
from statsmodels.tsa.stattools import coint

from services.quant.scan.all_pairs import engle_granger

BARS, LOOPED = 5_000, 3


def made(symbols: int) -> np.ndarray:
    """Return walks with a market in common, every tenth held to the one before."""
    draw = np.random.default_rng(1)
    market = np.cumsum(draw.standard_normal(BARS))
    prices = 0.3 * np.cumsum(draw.standard_normal((BARS, symbols)), 0) + market[:, None] * draw.uniform(
        0.5, 1.5, symbols
    )
    for number in range(0, symbols - 1, 10):
        kernel = 0.9 ** np.arange(21)
        spread = np.convolve(draw.standard_normal(BARS + 20), kernel, "valid")[:BARS]
        prices[:, number + 1] = 0.8 * prices[:, number] + 0.5 * spread
    return prices + 100


def measure(symbols: int) -> None:
    """Print the time of a scan, of a test of `coint`, and how far their statistics are apart."""
    prices = made(symbols)
    began = time.perf_counter()
    found = engle_granger(prices)
    took = time.perf_counter() - began
    began, apart = time.perf_counter(), 0.0
    for number in range(LOOPED):
        y, x = 10 * number % symbols, (10 * number + 1) % symbols
        apart = max(apart, abs(coint(prices[:, y], prices[:, x])[0] - found.statistic[y, x]))
    each = (time.perf_counter() - began) / LOOPED
    pairs = symbols * (symbols - 1) // 2
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{pairs:,} pairs of {BARS:,} bars, both ways round: {took:.2f} s, {memory:.0f} MB; coint {each:.3f} s a test, "
        f"{2 * pairs * each / took:,.0f} times as long; statistics within {apart:.1e}"
    )


def main() -> None:
    """Measure each number of symbols that is named."""
    for symbols in map(int, sys.argv[1:] or ("50", "500")):
        measure(symbols)


if __name__ == "__main__":
    main()
