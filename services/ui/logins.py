"""Login of a visitor, as the proxy before the dashboard tells it."""

from collections.abc import Collection

from starlette.requests import HTTPConnection

from services.common.http.identity import Person, is_name
from services.common.http.proxies import is_through_trusted

USER = "X-Forwarded-User"
GROUPS = "X-Forwarded-Groups"
# These say nothing of the market: whoever watches the process is no user.
PROBES = frozenset({"/healthz"})


class NoLoginError(ValueError):
    """A visitor has not logged in, or not in a way that can be believed; the text says which."""


def person(connection: HTTPConnection, operators: Collection[str]) -> Person:
    """Return who has logged in: an operator if one of their groups is among `operators`; NoLoginError if nobody has.

    Only a trusted proxy is believed, and it has to replace both headers, since a browser can send them.
    """
    if not is_through_trusted(connection):
        raise NoLoginError(
            "expected a request from a proxy of PAIRSTREAM_UI_PROXIES, received one from elsewhere"
        )
    names = connection.headers.getlist(USER)
    if len(names) != 1 or not is_name(names[0]):
        raise NoLoginError(
            f"expected who has logged in as {USER}, 1 to 128 printable characters without a space, "
            f"received {names[0]!r}"
            if len(names) == 1
            else f"expected {USER} once, received {len(names)} of it"
        )
    groups = {group.strip() for value in connection.headers.getlist(GROUPS) for group in value.split(",")}
    return Person(names[0], "reader" if groups.isdisjoint(operators) else "operator")
