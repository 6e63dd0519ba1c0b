"""Query of an analysis panel."""

from typing import Any

import pytest

from services.ui.analysis.query import AnalysisQuery, question


@pytest.mark.parametrize(
    ("asks", "params"),
    [
        ({"window": 30, "bars": 500, "zone": "UTC", "again": 1}, {"window": 30, "limit": 500}),
        ({"dataset": "one", "interval": None, "end": None}, {"dataset": "one"}),
        ({"dataset": "one", "end": "1714564800000000"}, {"dataset": "one", "end": "1714564800000000"}),
        ({"bars": 500, "start": 1_000_000, "end": 2_000_000}, {"start": 1_000_000, "end": 2_000_000}),
        ({"bars": 500, "end": 2_000_000, "start": ""}, {"limit": 500, "end": 2_000_000}),
        ({"intercept": False}, {"method": "ols_origin"}),
    ],
)
def test_only_what_is_said_is_asked(asks: dict[str, Any], params: dict[str, Any]) -> None:
    assert question({"pair": "A-B", **asks}) == AnalysisQuery("/v1/pairs/A-B/analysis", params)


def test_what_the_api_has_not_is_not_asked() -> None:
    assert "unit of prices" in str(question({"pair": "A-B", "method": "ols_origin", "transform": "log"}))
    assert "unit of prices" in str(question({"pair": "A-B", "intercept": False, "transform": "log"}))
    assert "OLS alone" in str(question({"pair": "A-B", "intercept": False, "method": "tls"}))
