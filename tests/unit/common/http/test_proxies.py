"""Callers behind proxies: whom the headers may name; none of them is local."""

import asyncio
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import HTTPConnection
from starlette.types import Message, Receive, Scope, Send

from services.common.http.proxies import Proxies, caller, counted_as, is_local, peer

TRUSTED = tuple(map(ip_network, ("127.0.0.1", "10.0.0.0/8", "2001:db8::/32")))
STRANGER = "203.0.113.9"
KINDS = ("http", "websocket")


def come(
    *headers: tuple[str, str], sender: str | None = "127.0.0.1", trusted: Any = TRUSTED, kind: str = "http"
) -> HTTPConnection:
    """Return a request as the application gets it that stands behind the proxies."""
    seen: list[Scope] = []

    async def note(scope: Scope, _: Receive, __: Send) -> None:
        seen.append(scope)

    async def nothing() -> Message:
        raise AssertionError

    async def nowhere(_: Message) -> None:
        raise AssertionError

    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    scope = {
        "type": kind,
        "headers": raw,
        "client": sender and (sender, 1),
        "scheme": "http" if kind == "http" else "ws",
    }
    asyncio.run(Proxies(note, trusted)(scope, nothing, nowhere))
    return HTTPConnection(seen[0])


FOR = "X-Forwarded-For"
NAMES_NOBODY = {
    "nothing": (),
    "an empty one": ((FOR, ""),),
    "blanks": ((FOR, " , ,"),),
    "a socket": ((FOR, "unix:"),),
    "unknown": ((FOR, "unknown"),),
    "something hidden": ((FOR, "_hidden"),),
    "an unreadable last one": ((FOR, f"{STRANGER}, unix:"),),
    "an empty last one": ((FOR, f"{STRANGER},"),),
    "a second header that is empty": ((FOR, STRANGER), (FOR, "")),
    "an address too long": ((FOR, "127.0.0.1.1"),),
    "a list of another kind": ((FOR, "127.0.0.1;127.0.0.1"),),
    "a bracket that does not end": ((FOR, "[::1"),),
    "another header": (("Forwarded", "for=127.0.0.1"),),
    "X-Real-IP": (("X-Real-IP", "127.0.0.1"),),
    "X-Forwarded": (("X-Forwarded", "127.0.0.1"),),
    "headers of clouds": (("True-Client-IP", "127.0.0.1"), ("CF-Connecting-IP", "127.0.0.1")),
    "underlines": (("X_Forwarded_For", "127.0.0.1"),),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("what", NAMES_NOBODY)
def test_whoever_comes_through_a_named_proxy_that_names_nobody_is_a_stranger(what: str, kind: str) -> None:
    come_in = come(*NAMES_NOBODY[what], kind=kind)
    assert not is_local(come_in)
    assert (peer(come_in), counted_as(come_in)) == ("127.0.0.1", "behind 127.0.0.1")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("values", "named"),
    [
        ([STRANGER], STRANGER),
        ([f" {STRANGER} "], STRANGER),
        ([f"127.0.0.1, {STRANGER}"], STRANGER),
        (["127.0.0.1", STRANGER], STRANGER),
        ([f"127.0.0.1, {STRANGER}, 10.0.0.3, 127.0.0.1"], STRANGER),
        ([f"unix:, {STRANGER}"], STRANGER),
        ([f"{STRANGER}:4711"], STRANGER),
        (["[2001:470::7]:4711"], "2001:470::7"),
        (["[2001:470::7]"], "2001:470::7"),
        (["2001:470::7"], "2001:470::7"),
        (["::ffff:203.0.113.9"], STRANGER),
        (["127.0.0.1"], "127.0.0.1"),
        (["::1"], "::1"),
        (["127.0.0.9"], "127.0.0.9"),
        (["10.0.0.9, 127.0.0.1"], "10.0.0.9"),
    ],
)
def test_a_named_proxy_names_the_caller_who_is_never_local(values: list[str], named: str, kind: str) -> None:
    spoofed = (("X-Real-IP", "127.0.0.1"), ("Forwarded", "for=127.0.0.1"))
    come_in = come(*((FOR, value) for value in values), *spoofed, kind=kind)
    assert (peer(come_in), is_local(come_in)) == (named, False)


def test_a_proxy_is_known_however_its_address_is_written() -> None:
    for sender in ("::ffff:127.0.0.1", "10.9.9.9", "2001:db8::5"):
        assert peer(come((FOR, STRANGER), sender=sender)) == STRANGER


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "what", [what for what, headers in NAMES_NOBODY.items() if headers and what != "underlines"]
)
def test_who_forwards_without_being_named_is_not_this_machine_and_names_nobody(what: str, kind: str) -> None:
    come_in = come(*NAMES_NOBODY[what], trusted=(), kind=kind)
    assert (peer(come_in), is_local(come_in)) == ("127.0.0.1", False)
    assert peer(come((FOR, "127.0.0.1"), sender=STRANGER, kind=kind)) == STRANGER


def test_this_machine_is_local_as_long_as_no_proxy_has_its_address() -> None:
    for sender in ("127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"):
        assert is_local(come(("Host", "127.0.0.1"), ("Via-Nothing", "x"), sender=sender, trusted=()))
        assert is_local(come(sender=sender)) == (sender not in ("127.0.0.1", "::ffff:127.0.0.1"))
    for other in (STRANGER, "2001:db8::1", "testclient", None):
        assert not is_local(come(sender=other, trusted=()))


@pytest.mark.parametrize(("kind", "scheme"), [("http", "https"), ("websocket", "wss")])
def test_only_a_named_proxy_says_what_the_page_was_reached_by(kind: str, scheme: str) -> None:
    said = ("X-Forwarded-Proto", "https")
    plain = "http" if kind == "http" else "ws"
    assert come(said, kind=kind).scope["scheme"] == scheme
    assert come(said, kind=kind, trusted=()).scope["scheme"] == plain
    assert come(("X-Forwarded-Proto", "gopher"), kind=kind).scope["scheme"] == plain


ADDRESSES = st.ip_addresses().map(str) | st.sampled_from(
    ["127.0.0.1", "::1", "10.0.0.1", "unknown", "", "a, b"]
)


@given(st.lists(ADDRESSES, max_size=5), st.ip_addresses(v=4).map(str))
def test_what_stands_before_the_last_stranger_says_nothing(invented: list[str], last: str) -> None:
    if not any(ip_address(last) in network for network in TRUSTED):
        assert caller([", ".join([*invented, last])], TRUSTED) == last
        assert caller([*invented, last], TRUSTED) == last
        assert caller([*invented, last, "10.0.0.1"], TRUSTED) == last


@given(st.lists(st.text(st.characters(codec="latin-1"), max_size=30), max_size=4))
def test_whatever_the_header_says_the_caller_is_an_address_or_nobody(values: list[str]) -> None:
    found = caller(values, TRUSTED)
    assert found is None or ip_address(found)
    assert not is_local(come(*((FOR, value) for value in values)))
