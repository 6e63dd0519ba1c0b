"""Targets in the database: URL and secret stand in columns of their own, apart from what may be told."""

from datetime import timedelta
from typing import NamedTuple

import msgspec

from services.contracts.targets import Target
from services.store.database import Connection

MOST_TARGETS = 100
ROTATION = timedelta(days=1)
"""How long messages are signed with the secret of before, too."""
# One that is written again is tried again, whatever was wrong with it.
_PUT = """
INSERT INTO targets AS old (id, target, url, secret) VALUES (%(id)s, %(target)s, %(url)s, %(secret)s)
ON CONFLICT (id) DO UPDATE SET target = excluded.target, url = excluded.url, secret = excluded.secret,
    changed_at = now(), failing_since = NULL, blocked_until = NULL, disabled_at = NULL, disabled_reason = NULL,
    former_secret = CASE WHEN old.secret = excluded.secret THEN old.former_secret ELSE nullif(old.secret, '') END,
    former_until = CASE WHEN old.secret = excluded.secret THEN old.former_until ELSE now() + %(rotation)s END
"""
_SECRETS = "SELECT url, secret FROM targets WHERE id = %s"
_ALL = """
SELECT id, target::text, url, secret, CASE WHEN former_until > now() THEN former_secret END,
    disabled_at IS NOT NULL, failing_since IS NOT NULL FROM targets ORDER BY id
"""
_REMOVE_WAITING = """
UPDATE deliveries SET state = 'skipped', reason = 'the target was removed', ended_at = now()
WHERE target_id = %s AND state IN ('waiting', 'failed')
"""


class StoredTarget(NamedTuple):
    """A target as it is: with its URL and secret, and the former secret while that still counts."""

    target: Target
    former_secret: str | None
    is_disabled: bool
    is_failing: bool

    @property
    def takes(self) -> bool:
        """Tell whether anything is delivered to it."""
        return not self.is_disabled and not self.target.paused


class TooManyTargetsError(Exception):
    """There are as many targets as there may be."""


async def put(connection: Connection, target: Target) -> None:
    """Store a target, new or in the place of the one before, which need not be disabled any more.

    TooManyTargetsError if there are `MOST_TARGETS` others.
    """
    ((others,),) = await (
        await connection.execute("SELECT count(*) FROM targets WHERE id <> %s", [target.id])
    ).fetchall()
    if others >= MOST_TARGETS:
        raise TooManyTargetsError
    values = {
        "id": target.id,
        "target": msgspec.json.encode(_told(target)).decode(),
        "url": target.url,
        "secret": target.secret,
        "rotation": ROTATION,
    }
    await connection.execute(_PUT, values)


async def secrets(connection: Connection, target_id: str) -> tuple[str, str] | None:
    """Return URL and secret of a target, None if there is none."""
    found: tuple[str, str] | None = await (await connection.execute(_SECRETS, [target_id])).fetchone()
    return found


async def remove(connection: Connection, target_id: str) -> bool:
    """Remove a target, skip what is still to be delivered to it, and tell whether there was one; its log stays."""
    found = (await connection.execute("DELETE FROM targets WHERE id = %s", [target_id])).rowcount > 0
    await connection.execute(_REMOVE_WAITING, [target_id])
    return found


async def stored(connection: Connection) -> list[StoredTarget]:
    """Return every target."""
    rows = await (await connection.execute(_ALL)).fetchall()
    return [
        StoredTarget(of_columns(text, url, secret), former, disabled, failing)
        for _, text, url, secret, former, disabled, failing in rows
    ]


def of_columns(text: str | bytes, url: str, secret: str) -> Target:
    """Return a target from the columns it is stored in."""
    return msgspec.convert({**msgspec.json.decode(text), "url": url, "secret": secret}, Target)


def _told(target: Target) -> dict[str, object]:
    """Return what is not secret of a target."""
    known: dict[str, object] = msgspec.to_builtins(target)
    return {name: value for name, value in known.items() if name not in ("url", "secret")}
