"""Access rights of a caller: its role, and the role that a route requires."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection
from starlette.types import Scope

from services.api.problems import ProblemError
from services.api.security.api_keys import Role

_SCOPE_KEY = "pairstream.caller"


@dataclass(frozen=True)
class Caller:
    """Caller of a request: the name of its key; without keys `local`, which is this machine, or `anonymous`."""

    name: str
    role: Role


def admit(scope: Scope, caller: Caller) -> None:
    """Note in the scope of a request who sent it."""
    scope[_SCOPE_KEY] = caller


def caller_in(scope: Scope) -> Caller | None:
    """Return who sent a request, None if it was not admitted."""
    return scope.get(_SCOPE_KEY)


async def _caller(connection: HTTPConnection) -> Caller:
    caller: Caller = connection.scope[_SCOPE_KEY]
    return caller


CallerDependency = Annotated[Caller, Depends(_caller)]


def require_write(caller: Caller) -> None:
    """Return if `caller` may write; ProblemError otherwise."""
    if caller.role != "write":
        detail = (
            f"expected a caller with the role write, received {caller.name!r} with the role {caller.role}"
        )
        raise ProblemError(HTTPStatus.FORBIDDEN, "Forbidden", detail)


async def _require_write(caller: CallerDependency) -> None:
    require_write(caller)


WRITE = [Depends(_require_write)]
"""The dependencies of a route that changes something."""
