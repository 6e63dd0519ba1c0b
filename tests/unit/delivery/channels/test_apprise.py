"""Apprise: allowed by the operator, and told what came of it."""

import asyncio
from collections.abc import Iterator

import pytest

from services.delivery.channels import apprise
from services.delivery.settings import DeliverySettings
from tests.receivers import Receiver, receiver

# A module of Python that it loads will go with Python 3.13, and it has another one then.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
ALLOWED = DeliverySettings(delivery_apprise=True)


@pytest.fixture
def taker() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


def send(url: str, settings: DeliverySettings = ALLOWED) -> str | None:
    """Send a text and return the problem."""
    return asyncio.run(apprise.send(settings, url, "title", "text")).problem


def test_it_is_used_only_where_it_is_allowed(taker: Receiver) -> None:
    problem = send(f"json://127.0.0.1:{taker.port}/ok", DeliverySettings())
    assert "expected PAIRSTREAM_DELIVERY_APPRISE" in (problem or "")
    assert taker.received == []


def test_a_text_is_sent_once_and_no_redirect_is_followed(taker: Receiver) -> None:
    assert send(f"json://127.0.0.1:{taker.port}/ok") is None
    assert "a failure" in (send(f"json://127.0.0.1:{taker.port}/redirect") or "")
    assert "a failure" in (send(f"json://127.0.0.1:{taker.port}/fail") or "")
    assert [one.path for one in taker.received] == ["/ok", "/redirect", "/fail"]


def test_a_url_that_it_does_not_take_is_refused() -> None:
    assert "a URL that Apprise takes" in (send("nothing://here") or "")
