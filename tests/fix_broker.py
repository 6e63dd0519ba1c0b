"""A broker for tests: the embedded one, on a loopback port of its own."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from services.local.broker import EmbeddedBroker


@contextmanager
def embedded_broker() -> Iterator[str]:
    """Start an empty broker and yield its address; topics appear with 4 partitions when asked for."""
    broker = EmbeddedBroker()
    yield broker.servers
    del broker


@pytest.fixture
def broker() -> Iterator[str]:
    """Start a broker of its own for one test and return its address."""
    with embedded_broker() as address:
        yield address
