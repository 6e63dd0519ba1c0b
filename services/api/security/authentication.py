"""Authentication of a request: its caller, by its API key or by where it comes from."""

from http import HTTPStatus

from starlette.requests import HTTPConnection

from services.api.problems import ProblemError, unavailable
from services.api.security.access import Caller
from services.api.security.api_keys import ApiKey, ApiKeys
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


def caller_of(connection: HTTPConnection, token: str | None, key: ApiKey | None, keys: ApiKeys) -> Caller:
    """Return who sends a request with this `token`, whose line in the keys file is `key`; ProblemError says why not."""
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
    detail = f"expected a key, as 'Authorization: Bearer KEY' or 'X-API-Key: KEY', received {received}"
    headers = {"WWW-Authenticate": 'Bearer realm="pairstream"'}
    return ProblemError(HTTPStatus.UNAUTHORIZED, "Unauthorized", detail, headers)
