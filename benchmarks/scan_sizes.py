"""Sizes of a scan: on venues without truth, how many have a false pair after each correction; and its power.

python -m benchmarks.scan_sizes [VENUES]
"""

import sys

import numpy as np

from services.quant.scan.all_pairs import engle_granger
from services.quant.scan.null import measured_p_values, null_p_values
from services.quant.scan.scan import ScanOptions, scan
from services.quant.scan.selection import adjusted_p_values

SHAPES = ((20, 500), (50, 500), (50, 2_000))
VENUES, PLANTED, LEVEL = 200, 5, 0.05
_HELD_OUT = ScanOptions().held_out


def venue(draw: np.random.Generator, symbols: int, bars: int, planted: int = 0) -> np.ndarray:
    """Return independent walks, of which `planted` pairs are held together by a spread with a half-life of 8 bars."""
    walks = np.cumsum(draw.standard_normal((bars, symbols)), axis=0)
    for pair in range(planted):
        steps, spread = draw.standard_normal(bars), np.zeros(bars)
        for at in range(1, bars):
            spread[at] = 0.5 ** (1 / 8) * spread[at - 1] + steps[at]
        walks[:, 2 * pair + 1] = 0.8 * walks[:, 2 * pair] + spread
    return 1_000 + walks


def measure(symbols: int, bars: int, venues: int) -> None:
    """Print the shares of venues with a false pair, and of planted pairs found."""
    draw, upper = np.random.default_rng(1), np.triu_indices(symbols, 1)
    first = bars - int(bars * _HELD_OUT)
    null = null_p_values(first, "c", "aic")
    names = ("p < 5 %", "Benjamini-Yekutieli", "Benjamini-Hochberg", "measured null", "confirmed, measured")
    false, found = dict.fromkeys(names, 0), dict.fromkeys(names, 0)
    for planted, counts in ((0, false), (PLANTED, found)):
        for _ in range(venues if not planted else venues // 10):
            prices = venue(draw, symbols, bars, planted)
            p_values = engle_granger(prices[:first]).worse_p_value[upper]
            measured = measured_p_values(p_values, null)
            judged = dict(
                zip(
                    names,
                    (
                        p_values < LEVEL,
                        adjusted_p_values(p_values) < LEVEL,
                        adjusted_p_values(p_values, however_dependent=False) < LEVEL,
                        adjusted_p_values(measured, however_dependent=False) < LEVEL,
                    ),
                    strict=False,
                )
            )
            confirmed = np.zeros((symbols, symbols), bool)
            for pair in scan(prices, ScanOptions(correction="measured")).pairs:
                confirmed[pair.y, pair.x] = confirmed[pair.x, pair.y] = pair.stage == "confirmed"
            judged["confirmed, measured"] = confirmed[upper]
            for name, is_found in judged.items():
                if planted:
                    is_true = (upper[0] % 2 == 0) & (upper[1] == upper[0] + 1) & (upper[0] < 2 * planted)
                    counts[name] += int((is_found & is_true).sum())
                else:
                    counts[name] += bool(is_found.any())
    print(f"{symbols} symbols, {symbols * (symbols - 1) // 2:,} pairs of {bars:,} bars, {venues} venues")
    for name in names:
        power = found[name] / (PLANTED * (venues // 10))
        print(
            f"  {name:<22}{false[name] / venues:>8.1%} have a false pair{power:>8.1%} of the planted ones found"
        )


def main() -> None:
    """Measure each shape."""
    for symbols, bars in SHAPES:
        measure(symbols, bars, int(sys.argv[1]) if len(sys.argv) > 1 else VENUES)


if __name__ == "__main__":
    main()
