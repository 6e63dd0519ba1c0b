"""Addresses that may be connected to: public ones, and those of networks that the operator allows. No I/O."""

from collections.abc import Iterable, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
_NAT64 = tuple(map(IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48")))
_SIX_TO_FOUR = IPv6Network("2002::/16")
_COMPATIBLE = IPv6Network("::/96")
# What Python's tables of reserved addresses lack, or have only in later versions.
_RESERVED = tuple(
    map(
        ip_network,
        (
            *("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "240.0.0.0/4"),
            *("::/96", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16", "fec0::/10"),
        ),
    )
)


class RefusedAddressError(Exception):
    """An address that nothing is delivered to; the text has the four parts."""


def require_allowed(host: str, found: Iterable[str], allowed: Sequence[Network]) -> list[Address]:
    """Return the addresses of a host; RefusedAddressError if one of them, or one in it, is neither public nor allowed.

    One is enough to refuse all: whoever answers with both a public and a private address wants the other one tried.
    """
    addresses = [ip_address(text.partition("%")[0]) for text in found]
    if not addresses:
        raise RefusedAddressError(f"expected an address of {host}, received none")
    for address in addresses:
        if (kind := refusal(address, allowed)) is not None:
            raise RefusedAddressError(
                f"expected a public address of {host}, received {address}, which is {kind}: change the URL, or allow "
                "the network by PAIRSTREAM_DELIVERY_ALLOW_PRIVATE"
            )
    return addresses


def refusal(address: Address, allowed: Sequence[Network]) -> str | None:
    """Return what an address is that may not be connected to, None if it may be.

    >>> refusal(ip_address("93.184.216.34"), ()), refusal(ip_address("::ffff:127.0.0.1"), ())
    (None, 'loopback (127.0.0.1)')
    """
    if isinstance(address, IPv6Address):
        for inner in _inside(address):
            if (kind := refusal(inner, allowed)) is not None:
                return f"{kind} ({inner})" if "(" not in kind else kind
    if any(address in network for network in allowed if network.version == address.version):
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return None
    return _kind(address)


def _kind(address: Address) -> str | None:
    if address.is_unspecified:
        return "unspecified"
    if address.is_loopback:
        return "loopback"
    if address.is_link_local:
        return "link-local"
    if address.is_multicast:
        return "multicast"
    if any(address in network for network in _RESERVED if network.version == address.version):
        return "reserved"
    return None if address.is_global else "private"


def _inside(address: IPv6Address) -> list[IPv4Address]:
    """Return the IPv4 addresses to which packets for an IPv6 address may be brought."""
    last = IPv4Address(int(address) & 0xFFFF_FFFF)
    found = [] if address.ipv4_mapped is None else [address.ipv4_mapped]
    if any(address in network for network in _NAT64):
        found.append(last)
    if address in _SIX_TO_FOUR:
        found.append(IPv4Address(int(address) >> 80 & 0xFFFF_FFFF))
    if address.teredo is not None:
        found += address.teredo
    if address in _COMPATIBLE and int(address) > 1:
        found.append(last)
    return found
