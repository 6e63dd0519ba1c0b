"""Encoded slashes: a part of a path has them, whatever the server made of it; all else is decoded as ever."""

import asyncio
from typing import Any
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.encoded_slashes import EncodedSlashes, with_slashes


def passed_on(raw: str, path: str | None = None) -> str:
    """Return the path that the application gets of what a server decodes."""
    got: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        got.append(scope["path"])

    scope = {"type": "http", "raw_path": raw.encode(), "path": unquote(raw) if path is None else path}
    asyncio.run(EncodedSlashes(app)(scope, None, None))  # type: ignore[arg-type]
    return got[0]


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ("/v1/symbols/BTC%2FUSDT:USDT", "/v1/symbols/BTC%2FUSDT:USDT"),
        ("/v1/pairs/ETH%2fUSDT%3AUSDT-BTC%2FUSDT/work", "/v1/pairs/ETH%2FUSDT:USDT-BTC%2FUSDT/work"),
        ("/v1/symbols/%E5%B8%81USDT", "/v1/symbols/币USDT"),
        ("/v1/pairs", "/v1/pairs"),
    ],
)
def test_a_slash_that_came_encoded_parts_nothing(raw: str, path: str) -> None:
    assert passed_on(raw) == path


def test_a_path_that_something_before_has_changed_stays() -> None:
    assert passed_on("/behind/v1/symbols/A%2FB", "/v1/symbols/A/B") == "/v1/symbols/A/B"


@given(st.lists(st.text(st.characters(codec="ascii", exclude_characters="%"), min_size=1), min_size=1))
def test_parts_come_as_they_were_written(parts: list[str]) -> None:
    path = passed_on("/" + "/".join(quote(part, safe="") for part in parts))
    assert [with_slashes(part) for part in path[1:].split("/")] == parts
