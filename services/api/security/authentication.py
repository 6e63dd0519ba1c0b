"""Authentication of a request: its caller, by its API key or by where it comes from."""

from http import HTTPStatus

from starlette.requests import HTTPConnection

from services.api.problems import ProblemError, unavailable
from services.api.security.access import Caller
from services.api.security.api_keys import ApiKey, ApiKeys
from services.api.security.event_stream_timeout import EVENTS
from services.common.http import identity
from services.common.http.identity import HEADER, IdentityCheck, IdentityError, Person
from services.common.http.proxies import is_local

# These describe the program and not its data, and a browser that opens a page cannot send a key.
_PUBLIC = frozenset({"/docs", "/openapi.json"})
_PUBLIC_PREFIX = "/docs/"
# A browser can give a WebSocket no header but this one, and what is in a URL ends in logs.
SUBPROTOCOL = "pairstream"
_SUBPROTOCOL_KEY = "key."


def token_in(connection: HTTPConnection) -> str | None:
    """Return the key that a request carries, None if it carries none."""
    scheme, _, credentials = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip()
    subprotocols: list[str] = connection.scope.get("subprotocols", [])
    for offered in subprotocols:
        if offered.startswith(_SUBPROTOCOL_KEY):
            return offered.removeprefix(_SUBPROTOCOL_KEY)
    return connection.headers.get("x-api-key")


def person_of(connection: HTTPConnection, identities: IdentityCheck) -> Person | IdentityError | None:
    """Return the person that a signed header names, or what is wrong with it; None if a request has none.

    A stream lasts longer than the header is good for, so it needs a key.
    """
    headers = connection.headers.getlist(HEADER)
    scope = connection.scope
    if not headers:
        return None
    if scope["type"] == "websocket" or scope["path"] == EVENTS:
        return IdentityError("one for a stream, which needs a key")
    if len(headers) > 1:
        return IdentityError(f"{len(headers)} of them")
    if not identities.is_on:
        return IdentityError("one, and PAIRSTREAM_IDENTITY_KEY is not set")
    sent_to = identity.target(scope["raw_path"], scope["query_string"])
    try:
        return identities.person(headers[0], scope["method"], sent_to)
    except IdentityError as error:
        return error


def caller_of(
    connection: HTTPConnection,
    person: Person | IdentityError | None,
    token: str | None,
    key: ApiKey | None,
    keys: ApiKeys,
) -> Caller:
    """Return who sends a request; ProblemError says why not.

    A signed header decides, also against a key: `person` is whom it names. `key` is the line of `token` in the keys
    file.
    """
    if isinstance(person, IdentityError):
        raise _refused(f"expected a good header {HEADER}, received {person}")
    if person is not None:
        return Caller(person.name, "write" if person.role == "operator" else "read")
    path = connection.scope["path"]
    if not keys.are_asked_for and is_local(connection):
        return Caller("local", "write")
    if key is not None:
        return Caller(key.name, key.role)
    if not keys.are_asked_for or path in _PUBLIC or path.startswith(_PUBLIC_PREFIX):
        return Caller("anonymous", "read")
    if keys.problem is not None:
        raise unavailable("expected a keys file that can be used; the log says what is wrong with it")
    raise unauthorized("none" if token is None else "an unknown one")


def unauthorized(received: str) -> ProblemError:
    """Return the problem of a key that is not there or not known."""
    return _refused(
        f"expected a key, as 'Authorization: Bearer KEY' or 'X-API-Key: KEY', received {received}"
    )


def _refused(detail: str) -> ProblemError:
    headers = {"WWW-Authenticate": 'Bearer realm="pairstream"'}
    return ProblemError(HTTPStatus.UNAUTHORIZED, "Unauthorized", detail, headers)
