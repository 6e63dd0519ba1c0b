"""Signed header that says for which person a request is: a JSON web token (RFC 7515, HS256) of this one request.

It is bound to the method and the target of the request, is good for half a minute, and is taken once by a process. No
I/O.
"""

import base64
import hashlib
import hmac
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Annotated, Literal

import msgspec
from pydantic import BeforeValidator

HEADER = "X-Pairstream-User"
LIFETIME_S = 30
LEEWAY_S = 5
"""By so much the clocks of who signs and who checks may differ."""
_HEAD = b'{"alg":"HS256","typ":"JWT"}'
_AUDIENCE = "pairstream"
_LEAST_KEY = 32
_NAME = re.compile(r"[!-~]{1,128}")

Role = Literal["reader", "operator"]


class Person(msgspec.Struct, frozen=True):
    """Person who has logged in before the page: a reader changes nothing."""

    name: str
    role: Role


class IdentityError(ValueError):
    """A signed header is not good for this request; the text says what is wrong, and nothing of the header."""


class _Head(msgspec.Struct):
    alg: str


class _Claims(msgspec.Struct):
    """Claims by their registered names; ``htm`` and ``htu`` are method and target, as of DPoP (RFC 9449)."""

    aud: str
    sub: str
    role: Role
    htm: str
    htu: str
    iat: int
    exp: int
    jti: Annotated[str, msgspec.Meta(min_length=16, max_length=64)]


def _keys(value: object) -> tuple[str, ...]:
    keys = tuple(part.strip() for part in str(value).split(",")) if value else ()
    if shortest := [len(key) for key in keys if len(key) < _LEAST_KEY]:
        raise ValueError(
            f"expected keys of at least {_LEAST_KEY} characters, separated by commas, "
            f"received one of {min(shortest)}: openssl rand -hex 32"
        )
    return keys


IdentityKeys = Annotated[tuple[str, ...], BeforeValidator(_keys)]
"""Setting: the keys; the first signs, each is good for a check, so that they can be changed one service at a time."""


def is_name(text: str) -> bool:
    """Tell whether a person can be called so: up to 128 printable characters of ASCII, no space."""
    return _NAME.fullmatch(text) is not None


def target(path: bytes, query: bytes) -> str:
    """Return path and query as a signed header has them: as they are sent, an empty query left out.

    >>> target(b"/v1/pairs", b""), target(b"/v1/datasets/a%2Fb", b"limit=1")
    ('/v1/pairs', '/v1/datasets/a%2Fb?limit=1')
    """
    return (path + b"?" + query if query else path).decode("ascii", "replace")


def sign(person: Person, method: str, sent_to: str, key: str, now_s: float) -> str:
    """Return the header of a request of `person`; `sent_to` is its `target`."""
    issued = int(now_s)
    claims = _Claims(
        aud=_AUDIENCE,
        sub=person.name,
        role=person.role,
        htm=method,
        htu=sent_to,
        iat=issued,
        exp=issued + LIFETIME_S,
        jti=secrets.token_urlsafe(16),
    )
    said = f"{_encoded(_HEAD)}.{_encoded(msgspec.json.encode(claims))}"
    return f"{said}.{_signature(said, key)}"


class IdentityCheck:
    """Checks signed headers by `keys`, and takes each once."""

    def __init__(self, keys: Sequence[str], now: Callable[[], float] = time.time) -> None:
        self._keys = keys
        self._now = now
        self._taken: OrderedDict[str, int] = OrderedDict()

    @property
    def is_on(self) -> bool:
        """Tell whether there are keys; without one every header is refused."""
        return bool(self._keys)

    def person(self, header: str, method: str, sent_to: str) -> Person:
        """Return for whom a request with this `header` is; IdentityError if it is not good for it."""
        claims = self._signed(header)
        now = self._now()
        if claims.aud != _AUDIENCE or (claims.htm, claims.htu) != (method, sent_to):
            raise IdentityError("one of another request")
        if not is_name(claims.sub):
            raise IdentityError("one without a name of 1 to 128 printable characters")
        if claims.exp - claims.iat > LIFETIME_S:
            raise IdentityError(f"one that is good for more than {LIFETIME_S} s")
        if claims.iat > now + LEEWAY_S:
            raise IdentityError("one of the future: are the clocks right?")
        if claims.exp <= now - LEEWAY_S:
            raise IdentityError("one that has expired: are the clocks right?")
        self._take(claims, now)
        return Person(claims.sub, claims.role)

    def _signed(self, header: str) -> _Claims:
        said, _, signature = header.rpartition(".")
        head, _, body = said.partition(".")
        # What is not signed by us is not read.
        if not any(_is_same(_signature(said, key), signature) for key in self._keys):
            raise IdentityError("one with another signature")
        try:
            algorithm = msgspec.json.decode(_decoded(head), type=_Head).alg
            claims = msgspec.json.decode(_decoded(body), type=_Claims)
        except (ValueError, msgspec.DecodeError):
            raise IdentityError("one that cannot be read") from None
        if algorithm != "HS256":
            raise IdentityError("one with another algorithm than HS256")
        return claims

    def _take(self, claims: _Claims, now: float) -> None:
        while self._taken and next(iter(self._taken.values())) <= now - LEEWAY_S:
            self._taken.popitem(last=False)
        if claims.jti in self._taken:
            raise IdentityError("one that was used before")
        # Those taken go in the order in which they come, so each stays for as long as any can be good.
        self._taken[claims.jti] = int(now) + LIFETIME_S + 2 * LEEWAY_S


def _signature(said: str, key: str) -> str:
    return _encoded(hmac.digest(key.encode(), said.encode(errors="replace"), hashlib.sha256))


def _is_same(expected: str, received: str) -> bool:
    return hmac.compare_digest(expected.encode(), received.encode(errors="replace"))


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
