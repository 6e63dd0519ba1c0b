"""Selection among many tests: p-values corrected for having looked so often."""

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


def adjusted_p_values(p_values: Values, *, however_dependent: bool = True) -> Values:
    """Return p-values adjusted for the number of tests; NaN counts as no test.

    Among the pairs with an adjusted p-value below q at most a share q is expected to be false: however the tests depend
    on each other (Benjamini and Yekutieli, 2001), or without that as long as they do so positively, at a lower price
    (Benjamini and Hochberg, 1995). Equal to ``statsmodels.stats.multitest.multipletests`` with ``fdr_by``, ``fdr_bh``.
    """
    adjusted = np.full(p_values.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(p_values))
    count = len(tested)
    if not count:
        return adjusted
    order = tested[np.argsort(p_values[tested], kind="stable")]
    ranks = np.arange(1, count + 1)
    penalty = np.sum(1 / ranks) if however_dependent else 1.0
    raised = p_values[order] * count * penalty / ranks
    adjusted[order] = np.minimum(np.minimum.accumulate(raised[::-1])[::-1], 1.0)
    return adjusted
