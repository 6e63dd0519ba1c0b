"""Origin check, against cross-site requests: which web pages may make a browser send a request."""

import re
from collections.abc import Collection
from ipaddress import ip_address

# Host and port of RFC 3986; any other text was made to be read in two ways.
_AUTHORITY = re.compile(r"(?:\[(?P<address>[0-9a-f:.]+)\]|(?P<name>[a-z0-9._-]+))(?::[0-9]{1,5})?")


def is_own_host(host: str | None, named: Collection[str]) -> bool:
    """Tell whether a Host header can be meant for us.

    A page whose name was made to resolve to our address (DNS rebinding) asks with its own name, which has a dot.

    >>> [is_own_host(host, ["api.desk.example"]) for host in ("127.0.0.1:8000", "[::1]", "localhost:80", "api")]
    [True, True, True, True]
    >>> [is_own_host(host, ["api.desk.example"]) for host in ("API.desk.example", "evil.example:8000", "", None)]
    [True, False, False, False]
    """
    found = _AUTHORITY.fullmatch((host or "").lower())
    if found is None:
        return False
    if found["address"]:
        return _is_address(found["address"])
    return "." not in found["name"] or found["name"] in named or _is_address(found["name"])


def is_own_page(origin: str | None, host: str | None, named: Collection[str]) -> bool:
    """Tell whether an Origin header is ours, is that of a page the settings name, or is not there.

    Behind a proxy that ends TLS only the scheme differs, so it does not count.

    >>> [is_own_page(origin, "api:8000", ["https://desk.example"]) for origin in (None, "http://api:8000")]
    [True, True]
    >>> is_own_page("https://desk.example", "api:8000", ["https://desk.example"])
    True
    >>> [is_own_page(origin, "api:8000", []) for origin in ("null", "http://api:8050", "https://evil.example")]
    [False, False, False]
    """
    return origin is None or origin in named or (host is not None and _authority(origin) == host.lower())


def _authority(origin: str) -> str | None:
    scheme, separator, authority = origin.lower().partition("://")
    return authority if scheme in ("http", "https") and separator else None


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
