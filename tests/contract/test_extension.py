"""Versions and licences of the TimescaleDB extension: those that do not serve are refused in one line."""

from typing import Any, cast

import psycopg
import pytest

from services.common.clock import SECOND
from services.common.errors import FatalError
from services.store import schema, timescale_extension
from tests.contract.store import START_US, one, tick

TICKS = [tick(n, START_US + n * 7 * SECOND) for n in range(1500)]


class Apache:
    """A server whose extension has only what the Apache licence covers."""

    def execute(self, query: str) -> "Apache":
        self.row = ("apache",) if "license" in query else ("2.29.2", "2.29.2")
        return self

    def fetchone(self) -> tuple[str, ...]:
        return self.row


def test_a_licence_without_aggregates_is_refused() -> None:
    with pytest.raises(FatalError, match="license timescale, received apache"):
        timescale_extension.prepare(cast("psycopg.Connection[Any]", Apache()), "auto")


@pytest.mark.parametrize("version", ["2.28.3", "2.9.0", "1.99", "none"])
@pytest.mark.parametrize("installed", [True, False])
def test_an_old_extension_is_refused_with_the_reason(
    empty_database_url: str, version: str, installed: bool
) -> None:
    with psycopg.connect(empty_database_url) as connection:
        # A view that stands before the server's own.
        connection.execute("CREATE SCHEMA offers")
        connection.execute(
            "CREATE TABLE offers.pg_available_extensions AS SELECT 'timescaledb' AS name,"
            " %s AS installed_version, %s AS default_version",
            [version if installed else None, "2.30.1" if installed else version],
        )
    url = f"{empty_database_url}&options=-c%20search_path%3Doffers,pg_catalog,public"
    with pytest.raises(
        FatalError, match=f"TimescaleDB 2.29 or later, received {version}: older .* late ticks"
    ):
        schema.upgrade(url)
    assert one(empty_database_url, "SELECT to_regclass('ticks') IS NULL")


@pytest.mark.parametrize("version", ["2.29.0", "2.29.2", "2.30.0-dev", "2.100.0", "3.0.0"])
def test_a_new_extension_is_accepted(version: str) -> None:
    timescale_extension.require_version(version)


def test_an_extension_that_cannot_be_created_is_one_clear_line(empty_database_url: str) -> None:
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("CREATE SCHEMA offers")
        connection.execute(
            "CREATE TABLE offers.pg_available_extensions AS"
            " SELECT 'timescaledb' AS name, NULL AS installed_version, '2.30.1' AS default_version"
        )
    url = f"{empty_database_url}&options=-c%20search_path%3Doffers,pg_catalog,public"
    with pytest.raises(FatalError, match="expected to create the extension timescaledb, received: "):
        schema.upgrade(url)
