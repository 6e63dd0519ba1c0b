"""Transform of a price before estimation: the price, or its logarithm."""

import math
from collections.abc import Callable, Mapping

from services.contracts.pair_messages import Transform as Transform


def log_price(price: float) -> float:
    """Return the natural logarithm; ValueError unless the price is above 0 and finite."""
    if not 0 < price < math.inf:
        raise ValueError(f"expected a price above 0, received {price}")
    return math.log(price)


# With logarithms the hedge ratio is an elasticity (% of Y per % of X) and the spread a difference of logarithms.
TRANSFORMS: Mapping[Transform, Callable[[float], float]] = {"price": float, "log": log_price}
