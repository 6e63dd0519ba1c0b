"""Fixtures of the tests of ingest."""

import pytest


@pytest.fixture
def _nobody_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that were written a moment ago are not waited for."""
    monkeypatch.setattr("services.ingest.feeds.file_growth.STOPPED_S", 0.0)
