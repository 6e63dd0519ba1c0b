"""Admission of a request by its head and peer: size, host, origin, rate, key and role, in this order."""

import time
from dataclasses import dataclass
from http import HTTPStatus

from starlette.requests import HTTPConnection

from services.api.problems import ProblemError
from services.api.security.access import Caller, admit, require_write
from services.api.security.api_keys import ApiKey, ApiKeys
from services.api.security.authentication import caller_of, person_of, token_in
from services.api.settings import ApiSettings
from services.common.http.head_limit import excess
from services.common.http.identity import IdentityCheck, Person
from services.common.http.origin_check import is_own_host, is_own_page
from services.common.http.proxies import counted_as, is_local
from services.common.http.rate_limits import Allowance, RateLimiter

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
PROBES = frozenset({"/healthz", "/readyz"})
_TOO_LONG = {
    HTTPStatus.REQUEST_URI_TOO_LONG: "URL too long",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "Headers too large",
}


@dataclass(frozen=True)
class AdmittedRequest:
    """Request that was let in: its caller, the identity it counts under, its key, and its remaining allowance."""

    caller: Caller
    counted_as: str
    key: ApiKey | None
    allowance: Allowance


class Admission:
    """Decides by the settings, the keys and what each caller has asked before."""

    def __init__(self, settings: ApiSettings, keys: ApiKeys) -> None:
        self._settings = settings
        self._keys = keys
        self._identities = IdentityCheck(settings.identity_key)
        self._limiter = RateLimiter()

    def admit(self, connection: HTTPConnection) -> AdmittedRequest:
        """Return the admitted request; ProblemError says why it is refused."""
        _check_size(connection)
        self._check_host_and_origin(connection)
        token = token_in(connection)
        key = self._keys.find(token) if token is not None else None
        person = person_of(connection, self._identities)
        name = counted_as(connection) if key is None else f"key {key.name}"
        name = f"person {person.name}" if isinstance(person, Person) else name
        allowance = self._count(name, connection)
        caller = caller_of(connection, person, token, key, self._keys)
        admit(connection.scope, caller)
        if is_unsafe(connection):
            require_write(caller)
        return AdmittedRequest(caller, name, key, allowance)

    def _check_host_and_origin(self, connection: HTTPConnection) -> None:
        host, origin = connection.headers.get("host"), connection.headers.get("origin")
        # A page that came by a name of its own does not know a key.
        if not self._keys.are_asked_for and not is_own_host(host, self._settings.api_hosts):
            raise forbidden(
                f"expected as Host an address or a name of PAIRSTREAM_API_HOSTS, received {host!r}"
            )
        guarded = is_unsafe(connection) or connection.scope["type"] == "websocket"
        if guarded and not is_own_page(origin, host, self._settings.api_cors_origins):
            raise forbidden(
                f"expected as Origin none, http://{host} or one of PAIRSTREAM_API_CORS_ORIGINS, received {origin!r}"
            )

    def _count(self, name: str, connection: HTTPConnection) -> Allowance:
        settings = self._settings
        rate = settings.api_local_rate_limit if is_local(connection) else settings.api_rate_limit
        allowance = self._limiter.take(name, rate, time.monotonic())
        if allowance.wait_s:
            detail = f"expected at most {rate.requests} requests in {rate.seconds} s, received one more"
            raise too_many(detail, allowance.headers)
        return allowance


def is_unsafe(connection: HTTPConnection) -> bool:
    """Return whether a request may change something."""
    return connection.scope["type"] == "http" and connection.scope["method"] not in SAFE_METHODS


def forbidden(detail: str) -> ProblemError:
    """Return the problem of a request that one may not send."""
    return ProblemError(HTTPStatus.FORBIDDEN, "Forbidden", detail)


def too_many(detail: str, headers: dict[str, str]) -> ProblemError:
    """Return the problem of a caller who asks too much."""
    return ProblemError(HTTPStatus.TOO_MANY_REQUESTS, "Too many requests", detail, headers)


def _check_size(connection: HTTPConnection) -> None:
    if (found := excess(connection.scope)) is not None:
        status, detail = found
        raise ProblemError(status, _TOO_LONG[status], detail)
