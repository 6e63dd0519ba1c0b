"""Exact sums in fixed point: a value can be added and removed in any order without a rounding error."""

import math

# 2^-160 is 7e-49: a squared return of one part in 1e12 keeps 24 digits.
_BITS = 160
_ONE = 1 << _BITS


def fixed(value: float) -> int:
    """Return `value` in units of 2^-160, rounded toward 0; OverflowError unless it is finite."""
    return int(math.ldexp(value, _BITS))


def floating(total: int) -> float:
    """Return the nearest float of a sum of ``fixed`` values."""
    return total / _ONE
