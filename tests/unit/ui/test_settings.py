"""Settings of the dashboard."""

import pytest

from services.common.errors import FatalError
from services.common.settings import load
from services.ui.settings import UiSettings


def test_defaults() -> None:
    settings = load(UiSettings, {})
    assert (settings.api_url, settings.ui_host, settings.ui_port) == (
        "http://127.0.0.1:8000",
        "127.0.0.1",
        8050,
    )


def test_a_trailing_slash_of_the_api_is_dropped() -> None:
    assert load(UiSettings, {"PAIRSTREAM_API_URL": "https://api.example/"}).api_url == "https://api.example"


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ws://127.0.0.1:8000", "kafka"])
def test_an_api_that_is_not_http_is_refused(url: str) -> None:
    with pytest.raises(FatalError, match=f"PAIRSTREAM_API_URL.*received '{url}'"):
        load(UiSettings, {"PAIRSTREAM_API_URL": url})
