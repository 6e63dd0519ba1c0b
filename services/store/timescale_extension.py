"""TimescaleDB extension: whether a database uses it, and which versions and licences will do."""

import re
from typing import Any, Literal

import psycopg

from services.common.errors import FatalError, reason_of
from services.store.bars.timescale import AGGREGATED

Wanted = Literal["auto", "off"]
MINIMUM = (2, 29)
_INSTEAD = "or set PAIRSTREAM_TIMESCALEDB=off for plain tables"

_OFFERED = "SELECT installed_version, default_version FROM pg_available_extensions WHERE name = 'timescaledb'"
# An aggregate shows what was put into it only up to a bucket that it has made itself.
_STRANDED = """
SELECT EXISTS (
    SELECT FROM ohlc_1h WHERE ts < coalesce((SELECT min(ts) FROM ticks) - interval '1 hour', 'infinity')
) AND NOT EXISTS (
    SELECT FROM ticks
    WHERE ts >= (SELECT min(ts) FROM ticks) + interval '2 hours' AND ts < now() - interval '2 hours'
)
"""
_LICENCE = "SELECT current_setting('timescaledb.license', true)"


def prepare(connection: psycopg.Connection[Any], wanted: Wanted) -> bool:
    """Return whether the store is TimescaleDB's, with the extension created in the database if it is.

    It is wherever the server offers the extension, unless `wanted` is off. `connection` is autocommit.
    FatalError if the extension is too old, lacks its community features or may not be created, and if a store
    that is TimescaleDB's is to be plain again.
    """
    if wanted == "off":
        if aggregated(connection):
            raise FatalError(
                "PAIRSTREAM_TIMESCALEDB: expected auto, because the store has hypertables and continuous "
                "aggregates, received off"
            )
        return False
    offered = connection.execute(_OFFERED).fetchone()
    if offered is None:
        return False
    installed, default = offered
    require_version(installed or default)
    if installed is None:
        try:
            connection.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
        except psycopg.Error as error:
            reason = reason_of(error)
            raise FatalError(
                f"expected to create the extension timescaledb, received: {reason}; have it created {_INSTEAD}"
            ) from error
    row = connection.execute(_LICENCE).fetchone()
    if row is not None and row[0] != "timescale":
        raise FatalError(
            f"expected timescaledb.license timescale, received {row[0]}: continuous aggregates are not in it; "
            f"change it {_INSTEAD}"
        )
    return True


def require_version(version: str) -> None:
    """Return if `version` of the extension is one that keeps bars right; FatalError says why not."""
    match = re.match(r"(\d+)\.(\d+)", version)
    if match is None or (int(match[1]), int(match[2])) < MINIMUM:
        raise FatalError(
            f"expected TimescaleDB {MINIMUM[0]}.{MINIMUM[1]} or later, received {version}: older ones can leave "
            "late ticks out of a refreshed continuous aggregate (timescaledb #10219); install a later one and "
            f"run ALTER EXTENSION timescaledb UPDATE {_INSTEAD}"
        )


def require_ticks(connection: psycopg.Connection[Any]) -> None:
    """Return if a plain store can be converted; FatalError if it has bars that would not be seen then."""
    row = connection.execute(_STRANDED).fetchone()
    if row is not None and row[0]:
        raise FatalError(
            "expected hours of ticks after which older bars can be shown, received bars whose ticks are gone and "
            f"hardly any others: upgrade again when there are some, {_INSTEAD}"
        )


def aggregated(connection: psycopg.Connection[Any]) -> bool:
    """Return whether bars are continuous aggregates already."""
    row = connection.execute(AGGREGATED).fetchone()
    return row is not None and bool(row[0])
