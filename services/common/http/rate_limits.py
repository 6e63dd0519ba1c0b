"""Rate limiter: how often, and how much at once, one caller may ask. No I/O."""

import math
import re
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

CALLERS_KEPT = 10_000
_SECONDS = {"second": 1, "minute": 60, "hour": 3_600}
# A host with one IPv6 address has 2^64 of them.
_IPV6_PREFIX = 64
# Of a request: sums of seconds since the start of the machine are that exact for years.
_ROUNDING = 1e-3


@dataclass(frozen=True)
class Rate:
    """Rate: requests per seconds; all of them may come at once."""

    requests: int
    seconds: int

    @property
    def every_s(self) -> float:
        """Seconds until the next request is free."""
        return self.seconds / self.requests

    @classmethod
    def parse(cls, text: str) -> "Rate":
        """Return what ``100/second`` means; ValueError if it means nothing."""
        match = re.fullmatch(r"([1-9][0-9]{0,6})/(second|minute|hour)", text.strip())
        if match is None:
            raise ValueError(f"expected a rate such as 100/second or 600/minute, received {text!r}")
        return cls(int(match[1]), _SECONDS[match[2]])


@dataclass(frozen=True)
class Allowance:
    """Allowance of a caller after a request; `wait_s` is above 0 if the request was one too many."""

    rate: Rate
    remaining: int
    full_in_s: float
    wait_s: float = 0

    @property
    def headers(self) -> dict[str, str]:
        """Return the fields of draft-ietf-httpapi-ratelimit-headers, and when to come back."""
        fields = {
            "RateLimit-Policy": f'"caller";q={self.rate.requests};w={self.rate.seconds}',
            "RateLimit": f'"caller";r={self.remaining};t={math.ceil(self.full_in_s)}',
        }
        return fields | ({"Retry-After": str(math.ceil(self.wait_s))} if self.wait_s else {})


class RateLimiter:
    """A leaky bucket for each caller: the generic cell rate algorithm, which keeps one number of each.

    Source: ITU-T I.371. A bucket that has run empty is forgotten, and so is the oldest beyond `CALLERS_KEPT`.
    """

    def __init__(self) -> None:
        self._empty_at: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        """Return the number of callers in memory."""
        return len(self._empty_at)

    def take(self, caller: str, rate: Rate, now_s: float) -> Allowance:
        """Count a request of `caller`; one too many is not counted."""
        each_s = rate.every_s
        empty_at = max(self._empty_at.pop(caller, now_s), now_s)
        room_s = rate.seconds - (empty_at - now_s)
        taken = room_s >= each_s * (1 - _ROUNDING)
        if taken:
            empty_at += each_s
            room_s -= each_s
        self._empty_at[caller] = empty_at
        self._forget(now_s)
        remaining = max(0, math.floor(room_s / each_s + _ROUNDING))
        return Allowance(rate, remaining, empty_at - now_s, 0 if taken else each_s - room_s)

    def _forget(self, now_s: float) -> None:
        oldest, empty_at = next(iter(self._empty_at.items()))
        if empty_at <= now_s or len(self._empty_at) > CALLERS_KEPT:
            del self._empty_at[oldest]


class Slots:
    """Running requests of each caller, streams among them."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._taken: Counter[str] = Counter()

    def is_free(self, caller: str) -> bool:
        """Return whether `caller` may have one more."""
        return self._taken[caller] < self.most

    @contextmanager
    def taken(self, caller: str) -> Iterator[None]:
        """Count one more meanwhile."""
        self._taken[caller] += 1
        try:
            yield
        finally:
            self._taken[caller] -= 1
            if not self._taken[caller]:
                del self._taken[caller]


class Held:
    """Bytes of bodies that each caller has in memory at once."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._bytes: Counter[str] = Counter()

    @contextmanager
    def by(self, caller: str) -> Iterator[Callable[[int], bool]]:
        """Yield a counter of further bytes of `caller`, which returns False beyond the limit; the end releases all."""
        held = 0

        def hold(size: int) -> bool:
            nonlocal held
            if self._bytes[caller] + size > self.most:
                return False
            self._bytes[caller] += size
            held += size
            return True

        try:
            yield hold
        finally:
            self._bytes[caller] -= held
            if not self._bytes[caller]:
                del self._bytes[caller]


def is_loopback(host: str) -> bool:
    """Return whether a peer is on this machine.

    >>> [is_loopback(host) for host in ("127.0.0.1", "::1", "::ffff:127.0.0.1", "192.0.2.1", "testclient")]
    [True, True, True, False, False]
    """
    address = parsed(host)
    return address is not None and address.is_loopback


def identity(host: str) -> str:
    """Return what a peer is counted as: its address, of IPv6 the network.

    >>> identity("192.0.2.1"), identity("2001:db8::5"), identity("::ffff:192.0.2.1")
    ('192.0.2.1', '2001:db8::/64', '192.0.2.1')
    """
    address = parsed(host)
    if isinstance(address, IPv6Address):
        return str(ip_network((address, _IPV6_PREFIX), strict=False))
    return host if address is None else str(address)


def parsed(host: str) -> IPv4Address | IPv6Address | None:
    """Return an IP address, of IPv4 in IPv6 the IPv4 one; None for any other text."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
