"""Addresses that may be connected to, in whatever form they come."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.delivery.addresses import RefusedAddressError, refusal, require_allowed

INSIDE = ("::ffff:0:0", "64:ff9b::", "64:ff9b:1::", "::")
"""Beginnings of IPv6 addresses that end with an IPv4 address."""


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("127.0.0.1", "loopback"),
        ("127.255.0.1", "loopback"),
        ("0.0.0.0", "unspecified"),  # noqa: S104
        ("0.1.2.3", "reserved"),
        ("10.1.2.3", "private"),
        ("172.16.0.1", "private"),
        ("192.168.1.1", "private"),
        ("169.254.169.254", "link-local"),
        ("100.64.0.1", "reserved"),
        ("198.18.0.1", "reserved"),
        ("224.0.0.1", "multicast"),
        ("255.255.255.255", "reserved"),
        ("::", "unspecified"),
        ("::1", "loopback"),
        ("fe80::1", "link-local"),
        ("fc00::1", "private"),
        ("fec0::1", "reserved"),
        ("ff02::1", "multicast"),
        ("2001:db8::1", "reserved"),
        ("::ffff:10.0.0.1", "private (10.0.0.1)"),
        ("64:ff9b::7f00:1", "loopback (127.0.0.1)"),
        ("64:ff9b:1::a00:1", "private (10.0.0.1)"),
        ("2002:7f00:1::", "loopback (127.0.0.1)"),
        ("::10.0.0.1", "private (10.0.0.1)"),
    ],
)
def test_what_is_not_public_is_refused_by_its_kind(address: str, kind: str) -> None:
    assert refusal(ip_address(address), ()) == kind


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]
)
def test_what_is_public_is_not(address: str) -> None:
    assert refusal(ip_address(address), ()) is None


@given(st.ip_addresses(v=4))
def test_no_ipv4_address_passes_that_python_calls_private(address: IPv4Address) -> None:
    if refusal(address, ()) is None:
        assert address.is_global
        assert not address.is_multicast


@given(st.ip_addresses(v=4), st.sampled_from(INSIDE))
def test_an_address_inside_another_is_judged_as_itself(address: IPv4Address, beginning: str) -> None:
    assume(int(address) > 1)
    around = IPv6Address(int(IPv6Address(beginning)) + int(address))
    assert not (refusal(address, ()) is not None and refusal(around, ()) is None)


@given(st.ip_addresses(v=6))
def test_no_ipv6_address_passes_that_is_local(address: IPv6Address) -> None:
    if refusal(address, ()) is None:
        assert not (address.is_private)
        assert not (address.is_link_local)
        assert not (address.is_site_local)
        assert not (address.is_multicast)


@given(st.ip_addresses())
def test_an_operator_may_allow_a_network(address: IPv4Address | IPv6Address) -> None:
    whole = [ip_network("0.0.0.0/0"), ip_network("::/0")]
    assert refusal(address, whole) is None


def test_one_address_that_is_refused_refuses_the_host() -> None:
    assert require_allowed("a.test", ["1.1.1.1"], ()) == [ip_address("1.1.1.1")]
    with pytest.raises(RefusedAddressError, match=r"a public address of a\.test, received 10\.0\.0\.1"):
        require_allowed("a.test", ["1.1.1.1", "10.0.0.1"], ())
    with pytest.raises(RefusedAddressError, match="received none"):
        require_allowed("a.test", [], ())
