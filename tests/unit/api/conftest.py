"""Fixture: a listener to heartbeats."""

import pytest

from tests.unit.api.listener import Listener


@pytest.fixture
def listener() -> Listener:
    return Listener()
