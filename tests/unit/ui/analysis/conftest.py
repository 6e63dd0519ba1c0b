"""Analysis response of the API, in the shape of its model."""

from typing import Any

import msgspec
import pytest

from services.common.clock import SECOND
from services.ui.api.types import Analysis
from tests.e2e import fake_analysis
from tests.unit.ui.conftest import PAIR, START_S, Make


@pytest.fixture
def document() -> Make:
    def make(bars: int = 300, interval: str = "1s", method: str = "ols") -> dict[str, Any]:
        asked = {"interval": interval, "window": 300, "method": method, "transform": "price"}
        return fake_analysis.analysis(PAIR, bars, START_S * SECOND, "cointegrated", **asked)

    return make


@pytest.fixture
def found(document: Make) -> Make:
    def make(bars: int = 300, changed: dict[str, Any] | None = None, **asked: Any) -> Analysis:
        return msgspec.convert({**document(bars, **asked), **(changed or {})}, Analysis)

    return make
