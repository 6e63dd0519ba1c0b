"""Regressions of statsmodels, refused where more than one solution exists."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from statsmodels.tools.sm_exceptions import SingularMatrixWarning

from services.quant.fit import NotEnoughDataError


@contextmanager
def determined() -> Iterator[None]:
    """Raise NotEnoughDataError where statsmodels warns that a regression has more than one solution."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", SingularMatrixWarning)
        try:
            yield
        except SingularMatrixWarning:
            raise NotEnoughDataError("the series moves too seldom for the regression of the test") from None
