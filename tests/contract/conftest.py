"""Fixtures of the contracts: the generated documents, and the server for tests that only TimescaleDB can pass."""

import os
from collections.abc import Mapping

import pytest

from services.cli.schemas import documents
from tests.fix_database import TIMESCALE


@pytest.fixture(scope="session")
def timescale_server() -> str:
    """Return the URL of the TimescaleDB to be tested against."""
    if not (url := os.environ.get(TIMESCALE)):
        pytest.skip(f"set {TIMESCALE} to the URL of a TimescaleDB whose user may create databases")
    return url


@pytest.fixture(scope="session")
def generated() -> Mapping[str, str]:
    """Return every document of schemas/ as the code has it, which takes a second to make."""
    return documents()
