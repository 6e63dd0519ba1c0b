"""Hosts and origins that a browser can be made to send."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.http.origin_check import is_own_host, is_own_page

NAMED = ("desk.example",)
OURS = (
    "127.0.0.1",
    "127.0.0.1:8050",
    "192.0.2.7:8050",
    "[::1]",
    "[::1]:8050",
    "[2001:DB8::1]:8050",
    "localhost",
    "LocalHost:8050",
    "ui",
    "desk_machine:8050",
    "desk.example",
    "Desk.Example:443",
)
OTHERS = (
    None,
    "",
    ":8050",
    "evil.example",
    "evil.example:8050",
    "desk.example.",
    "desk.example.evil.example",
    "evildesk.example",
    "127.0.0.1.evil.example",
    "127.1",
    "0x7f.0.0.1",
    "localhost.",
    "127.0.0.1@evil.example",
    "evil.example@127.0.0.1",
    "[::1].evil.example",
    "[::1]evil.example",
    "[evil.example]",
    "127.0.0.1:8050:8050",
    "127.0.0.1:port",
    "127.0.0.1/evil.example",
    "127.0.0.1, evil.example",
    "127.0.0.1#evil.example",
    "127.0.0.1\n",
    "desk\u3002example",
)


@pytest.mark.parametrize("host", OURS)
def test_a_host_of_ours(host: str) -> None:
    assert is_own_host(host, NAMED)


@pytest.mark.parametrize("host", OTHERS)
def test_a_host_of_somebody_else(host: str | None) -> None:
    assert not is_own_host(host, NAMED)


NAME = st.from_regex(r"[a-z0-9-]{1,10}(\.[a-z0-9-]{1,10}){1,3}", fullmatch=True)


@given(NAME, st.integers(0, 65535) | st.none())
def test_no_name_with_a_dot_is_ours_unless_it_is_named(name: str, port: int | None) -> None:
    host = name if port is None else f"{name}:{port}"
    assert is_own_host(host, [name])
    assert is_own_host(host, NAMED) == (name in NAMED or _is_address(name))


@given(st.text(st.characters(codec="latin-1"), max_size=40))
def test_whatever_is_taken_for_ours_is_one_name_or_address(host: str) -> None:
    if is_own_host(host, NAMED):
        assert not set(host) & set("@/\\?# ,\r\n\t")


@pytest.mark.parametrize(
    "origin",
    [None, "http://ui:8050", "https://ui:8050", "HTTP://UI:8050", "https://named.example"],
)
def test_a_page_of_ours(origin: str | None) -> None:
    assert is_own_page(origin, "ui:8050", ["https://named.example"])


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "null",
        "ui:8050",
        "//ui:8050",
        "http://ui",
        "http://ui:8051",
        "http://ui:8050/",
        "http://ui:8050.evil.example",
        "http://evil.example",
        "http://ui:8050@evil.example",
        "http://evil.example#ui:8050",
        "ftp://ui:8050",
        "file://ui:8050",
        "chrome-extension://ui:8050",
        "http://named.example",
        "http://ui:8050, http://evil.example",
    ],
)
def test_a_page_of_somebody_else(origin: str) -> None:
    assert not is_own_page(origin, "ui:8050", ["https://named.example"])
    assert not is_own_page(origin, None, ["https://named.example"])


def _is_address(name: str) -> bool:
    try:
        return bool(ip_address(name))
    except ValueError:
        return False
