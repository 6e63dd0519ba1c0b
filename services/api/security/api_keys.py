"""API keys: a file with one line each, ``name role sha256``; a key without its line fails at once."""

import asyncio
import hashlib
import hmac
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import structlog

Role = Literal["read", "write"]
_LINE = re.compile(r"(?P<name>[A-Za-z0-9._-]{1,64})\s+(?P<role>read|write)\s+(?P<digest>[0-9a-f]{64})")

log = structlog.get_logger()


class RevokedError(Exception):
    """The key of a request was revoked while the request ran."""


@dataclass(frozen=True)
class ApiKey:
    """Stored API key: not the token, but the SHA-256 of its 256 random bits."""

    name: str
    role: Role
    digest: str

    def __str__(self) -> str:
        """Return its line in the file."""
        return f"{self.name} {self.role} {self.digest}"


def new(name: str, role: Role) -> tuple[str, ApiKey]:
    """Return a new token, which is stored nowhere, and its key; ValueError for a name that is none."""
    token = f"ps_{secrets.token_urlsafe(32)}"
    (key,) = parse(f"{name} {role} {_digest(token)}")
    return token, key


def parse(text: str) -> tuple[ApiKey, ...]:
    """Return the keys in the text of a file; ValueError names the first line that is wrong.

    Lines that are empty or begin with ``#`` say nothing.
    """
    keys: dict[str, ApiKey] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not (stripped := line.strip()) or stripped.startswith("#"):
            continue
        match = _LINE.fullmatch(stripped)
        if match is None:
            raise ValueError(
                f"line {number}: expected 'name role sha256' with a name of letters, digits, . _ and -, "
                f"the role read or write, and 64 hexadecimal digits, received {stripped[:40]!r}"
            )
        key = ApiKey(match["name"], "write" if match["role"] == "write" else "read", match["digest"])
        if key.name in keys:
            raise ValueError(f"line {number}: expected each name once, received {key.name!r} again")
        keys[key.name] = key
    return tuple(keys.values())


def read(path: Path) -> tuple[ApiKey, ...]:
    """Return the keys in a file; ValueError says why they cannot be had."""
    try:
        return parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"expected a readable file, received {path}: {error.strerror}") from error


class ApiKeys:
    """The keys of a file, looked at again whenever `refresh` is called; without a file there are none to ask for.

    With an unreadable file every key is refused: the missing line may be the important one.
    """

    def __init__(self, path: Path | None) -> None:
        self.problem: str | None = None
        """Reason why every key is refused, None if the file is right."""
        self._path = path
        self._seen: tuple[int, ...] | None = None
        self._keys: frozenset[ApiKey] = frozenset()
        self._leases: set[tuple[ApiKey, asyncio.Timeout]] = set()
        self.refresh()

    @property
    def are_asked_for(self) -> bool:
        """Return whether there is a file."""
        return self._path is not None

    def refresh(self) -> None:
        """Read the file if it is another than before, and end what runs for keys that are gone."""
        if self._path is None or (stamp := _stamp(self._path)) == self._seen:
            return
        self._seen = stamp
        try:
            self._keys, self.problem = frozenset(read(self._path)), None
            log.info("API keys read", names=sorted(key.name for key in self._keys))
        except ValueError as error:
            self._keys, self.problem = frozenset(), f"the keys file cannot be used: {error}"
            log.error("no API key is accepted", problem=self.problem)
        for key, deadline in self._leases:
            if key not in self._keys:
                deadline.reschedule(0)

    def find(self, token: str) -> ApiKey | None:
        """Return the key of `token`; it takes the same time whichever it is."""
        digest, found = _digest(token), None
        for key in self._keys:
            if hmac.compare_digest(key.digest, digest):
                found = key
        return found

    @asynccontextmanager
    async def lease(self, key: ApiKey) -> AsyncIterator[None]:
        """Run the body for `key`; when the key is revoked, the body is cancelled and ends with RevokedError."""
        deadline = asyncio.timeout(None)
        lease = (key, deadline)
        try:
            async with deadline:
                self._leases.add(lease)
                yield
        except TimeoutError:
            if deadline.expired():
                raise RevokedError from None
            raise
        finally:
            self._leases.discard(lease)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def _stamp(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_size, found.st_ino
