"""Fixture for tests that only TimescaleDB can pass: its server."""

import os

import pytest

from tests.fix_database import TIMESCALE


@pytest.fixture(scope="session")
def timescale_server() -> str:
    """Return the URL of the TimescaleDB to be tested against."""
    if not (url := os.environ.get(TIMESCALE)):
        pytest.skip(f"set {TIMESCALE} to the URL of a TimescaleDB whose user may create databases")
    return url
