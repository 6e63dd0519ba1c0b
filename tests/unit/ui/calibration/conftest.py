"""Calibration response of the API, in the shape of its model."""

from typing import Any

import msgspec
import numpy as np
import pytest

from services.common.clock import SECOND
from services.quant.analysis.entries import Bands
from services.ui.api.types import Calibration
from tests.e2e import fake_calibration
from tests.unit.quant.statistical_tests.test_unit_root import autoregressive
from tests.unit.ui.conftest import PAIR, START_S, Make

BANDS = Bands(entry=2.0, exit=0.5, stop=4.0, within_us=900 * SECOND)


@pytest.fixture
def document() -> Make:
    def make(count: int = 3_000) -> dict[str, Any]:
        zscores = 3.2 * autoregressive(np.random.default_rng(1), count, 0.95)
        seconds = range(START_S, START_S + count)
        return fake_calibration.calibration(PAIR, list(seconds), (zscores / 8).tolist(), 3, BANDS)

    return make


@pytest.fixture
def found(document: Make) -> Make:
    def make(count: int = 3_000, **changed: Any) -> Calibration:
        return msgspec.convert({**document(count), **changed}, Calibration)

    return make
