"""An upgrade keeps every row and every bar, may be repeated and started by many, and refuses what it cannot do well."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from msgspec import structs
from psycopg import sql

from services.common.clock import SECOND, to_datetime
from services.common.errors import FatalError, TransientError
from services.common.settings import StoreSettings
from services.store import schema, timescale_extension
from services.store.bars import timescale as bars
from tests.contract.servers import apply
from tests.contract.store import START_US, WIDTHS, alert, one, select, signal, tick, write_all
from tests.fix_database import created

TICKS = [tick(n, START_US + n * 7 * SECOND) for n in range(1500)]
DAY = timedelta(days=1)


@pytest.fixture
def server(timescale_server: str) -> Iterator[str]:
    """Return the URL of an empty database on a server that offers the extension."""
    with created(timescale_server, "template0") as url:
        yield url


def is_aggregated(url: str) -> bool:
    with psycopg.connect(url) as connection:
        return timescale_extension.aggregated(connection)


def fill(url: str) -> list[list[tuple[Any, ...]]]:
    """Fill a plain store, delete the ticks of its first minutes, and return what its relations hold."""
    asyncio.run(write_all(url, "ticks", [TICKS]))
    asyncio.run(write_all(url, "signals", [[signal(300)]]))
    with psycopg.connect(url) as connection:
        connection.execute("DELETE FROM ticks WHERE trade_id < 100")
    return contents(url)


def contents(url: str) -> list[list[tuple[Any, ...]]]:
    return [select(url, relation) for relation in (*WIDTHS, "ticks", "signals")]


def jobs(url: str) -> dict[tuple[str, str], tuple[int, Any]]:
    query = "SELECT hypertable_name, proc_name, job_id, config FROM timescaledb_information.jobs WHERE job_id >= 1000"
    with psycopg.connect(url) as connection:
        return {
            (name, kind): (job, config) for name, kind, job, config in connection.execute(query).fetchall()
        }


PLAIN = StoreSettings(timescaledb="off")


def test_a_plain_store_becomes_timescales_with_every_row_and_bar(server: str) -> None:
    schema.upgrade(server, PLAIN)
    assert not is_aggregated(server)
    before = fill(server)

    assert schema.upgrade(server) == []

    assert is_aggregated(server)
    assert contents(server) == before
    assert one(server, "SELECT count(*) FROM timescaledb_information.hypertables") == 2


def test_a_database_of_an_older_revision_keeps_its_rows(server: str) -> None:
    apply(server, "0002")
    with psycopg.connect(server) as connection:
        connection.execute(
            "INSERT INTO ticks VALUES ('S', '2026-01-01 00:00:01.5+00', 1, 'v', now(), 2, 3, true)"
        )
        for relation in WIDTHS:
            connection.execute(
                sql.SQL("INSERT INTO {} VALUES ('S', '2026-01-01+00', 2, 2, 2, 2, 3, 6, 1, 1, 1)").format(
                    sql.Identifier(relation)
                )
            )
    before = contents(server)
    assert schema.upgrade(server) == schema.revisions()[2:]
    assert is_aggregated(server)
    (second,) = select(server, "ohlc_1s")
    assert second[1].second == 1
    assert contents(server)[1:] == before[1:]


def test_signals_in_compressed_chunks_get_the_new_columns_and_can_be_corrected(server: str) -> None:
    apply(server, "0006", timescaledb=True)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(
            'INSERT INTO signals (pair, ts, y_price, x_price, method, "window", samples, quality)'
            " VALUES ('ETHUSDT-BTCUSDT', %s, 3, 2, 'ols', 300, 20, 'ok')",
            [to_datetime(START_US)],
        )
        connection.execute("SELECT compress_chunk(show_chunks('signals'))")
    assert schema.upgrade(server) == schema.revisions()[6:]
    (row,) = select(server, "signals")
    assert row[14:16] == (0, 0)
    asyncio.run(write_all(server, "signals", [[structs.replace(signal(300), late=1, revision=1)]]))
    (row,) = select(server, "signals")
    assert row[11:16] == (300, "ok", None, 1, 1)


def test_alerts_of_an_older_revision_are_kept_and_one_can_be_retracted(empty_database_url: str) -> None:
    apply(empty_database_url, "0006")
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("INSERT INTO alerts VALUES ('a', 'r', 'Y-X', now(), 'firing', 1, 1, '')")
    assert schema.upgrade(empty_database_url) == schema.revisions()[6:]
    retraction = structs.replace(alert("b"), state="retracted", retracts="a")
    asyncio.run(write_all(empty_database_url, "alerts", [[retraction]]))
    stored = [(row[0], row[4], row[10]) for row in select(empty_database_url, "alerts")]
    assert stored == [("a", "firing", None), ("b", "retracted", "a")]


def test_alerts_of_the_version_before_are_of_the_rule_that_every_pair_has(empty_database_url: str) -> None:
    apply(empty_database_url, "0010")
    known = {"a": "zscore", "b": "entry"}
    with psycopg.connect(empty_database_url) as connection:
        for alert_id, rule_id in known.items():
            connection.execute(
                "INSERT INTO alerts VALUES (%s, %s, 'ETHUSDT-BTCUSDT', %s, 'firing', 2.5, 2, 'z-score above 2')",
                [alert_id, rule_id, to_datetime(START_US)],
            )
        connection.execute("INSERT INTO alert_handling VALUES ('a', now(), 'desk', NULL)")
        columns = connection.execute("SELECT * FROM alerts ORDER BY alert_id").fetchall()
    assert schema.upgrade(empty_database_url) == schema.revisions()[10:]
    # What the sink makes of the same messages is no other row.
    messages = [structs.replace(alert("a"), rule_id="zscore", rule="zscore"), alert("b")]
    (written,) = asyncio.run(write_all(empty_database_url, "alerts", [messages]))
    assert written.duplicates == 2
    kept = select(empty_database_url, "alerts")
    assert [row[:12] for row in kept] == columns
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("DELETE FROM alerts")
    asyncio.run(write_all(empty_database_url, "alerts", [messages], cluster="another"))
    assert select(empty_database_url, "alerts") == kept
    assert [row[12] for row in kept] == ["zscore-threshold", "entry"]


def test_bars_that_nobody_would_see_again_stay_where_they_are(server: str) -> None:
    apply(server, "0002")
    with psycopg.connect(server) as connection:
        connection.execute("INSERT INTO ohlc_1h VALUES ('S', '2020-01-01+00', 9, 9, 9, 9, 9, 9, 9, 9, 9)")
    with pytest.raises(FatalError, match="bars whose ticks are gone"):
        schema.upgrade(server)
    assert schema.upgrade(server, PLAIN) == schema.revisions()[2:]
    assert len(select(server, "ohlc_1h")) == 1


def test_an_upgrade_that_was_cut_short_is_finished_by_the_next(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def die(_: object) -> None:
        raise TransientError("killed")

    schema.upgrade(server, PLAIN)
    before = fill(server)
    with monkeypatch.context() as patch:
        patch.setattr(bars, "catch_up", die)
        with pytest.raises(TransientError, match="killed"):
            schema.upgrade(server)
    assert is_aggregated(server)
    assert contents(server) != before
    schema.upgrade(server)
    assert contents(server) == before


def test_of_several_upgrades_at_once_one_does_the_work(server: str) -> None:
    with ThreadPoolExecutor(4) as threads:
        applied = list(threads.map(schema.upgrade, [server] * 4))
    assert sorted(applied) == [[], [], [], schema.revisions()]
    assert len(jobs(server)) == 7


def test_policies_follow_the_settings_and_those_that_are_right_stay(server: str) -> None:
    schema.upgrade(server)
    before = jobs(server)
    schema.upgrade(server)
    assert jobs(server) == before
    kept = StoreSettings(retention_ticks=2 * DAY, retention_signals=3 * DAY)
    schema.upgrade(server, kept)
    added = {key: config["drop_after"] for key, (_, config) in jobs(server).items() if key not in before}
    assert added == {("ticks", "policy_retention"): "2 days", ("signals", "policy_retention"): "3 days"}
    assert {key: jobs(server)[key] for key in before} == before
    schema.upgrade(server, StoreSettings(lateness=2 * DAY))
    after = jobs(server)
    assert set(after) == set(before)
    assert not {job for job, _ in after.values()} & {job for job, _ in before.values()}


def test_a_timescale_store_is_not_made_plain(server: str) -> None:
    schema.upgrade(server)
    with pytest.raises(FatalError, match="PAIRSTREAM_TIMESCALEDB: expected auto"):
        schema.upgrade(server, PLAIN)


def test_a_newer_schema_is_left_alone(server: str) -> None:
    apply(server, "0002")
    with psycopg.connect(server) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(FatalError, match="received 9999"):
        schema.upgrade(server)
    assert one(server, "SELECT count(*) FROM pg_extension WHERE extname = 'timescaledb'") == 0


NONSENSE = {
    "a pair of one symbol": "INSERT INTO pairs VALUES"
    " ('A-A', 'A', 'A', 300, 'ols', 'price', true, 30, 2, 1, 5, false)",
    "a pair under another name": "INSERT INTO pairs VALUES"
    " ('A-C', 'A', 'B', 300, 'ols', 'price', true, 30, 2, 1, 5, false)",
    "an exit above the entry": "INSERT INTO pairs VALUES"
    " ('A-B', 'A', 'B', 300, 'ols', 'price', true, 30, 2, 3, 5, false)",
    "something done about no alert": "INSERT INTO alert_handling VALUES ('a', now(), 'me', NULL)",
    "a rule that is no object": "INSERT INTO rules VALUES ('r', '[1]')",
    "a delivery in a state that there is not": "INSERT INTO deliveries (delivery_id, target_id, kind, alert_ids, title,"
    " message, state) VALUES ('d', 't', 'begun', '{}', '', '', 'lost')",
    "a target that is disabled for no reason": "INSERT INTO targets (id, target, url, secret, disabled_at) VALUES"
    " ('t', '{}', '', '', now())",
}


@pytest.mark.parametrize("statement", NONSENSE.values(), ids=NONSENSE)
def test_the_schema_refuses_nonsense(store_url: str, statement: str) -> None:
    with psycopg.connect(store_url) as connection, pytest.raises(psycopg.IntegrityError):
        connection.execute(statement)


def test_a_dataset_goes_with_its_bars_and_its_bars_make_sense(store_url: str) -> None:
    with psycopg.connect(store_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO datasets VALUES ('d', 'mine', sha256('x'), '1 day', 1, now(), '[]', '{}')"
        )
        for relation in ("dataset_bars_d", "dataset_bars_d_1h"):
            connection.execute("SELECT create_dataset_bars(%s)", [relation])
        connection.execute("INSERT INTO dataset_bars_d VALUES ('A', now(), 2, 3, 1, 2, NULL)")
        with pytest.raises(psycopg.IntegrityError):
            connection.execute("INSERT INTO dataset_bars_d VALUES ('B', now(), 2, 3, 2.5, 3, 1)")
        connection.execute("DELETE FROM datasets")
        left = "SELECT relname FROM pg_class WHERE relname LIKE 'dataset\\_bars\\_%'"
        assert connection.execute(left).fetchall() == []


def test_bars_of_datasets_move_to_tables_of_their_own(store_server: str) -> None:
    with created(store_server, "template0") as url:
        apply(url, "0005")
        with psycopg.connect(url) as connection:
            for name in ("a", "b"):
                connection.execute(
                    "INSERT INTO datasets VALUES (%s, %s, sha256('x'), '1 minute', 2, now(), '[]', '{}')",
                    [name, name],
                )
                connection.execute(
                    "INSERT INTO dataset_bars VALUES (%(of)s, 'S', '2026-01-01 00:01+00', 2, 3, 1, 2, NULL),"
                    " (%(of)s, 'S', '2026-01-01+00', 1, 3, 1, 2, 5)",
                    {"of": name},
                )
            connection.execute(
                "INSERT INTO dataset_wider_bars VALUES ('a', '5m', 'S', '2026-01-01+00', 1, 3, 1, 2, 5)"
            )
        assert schema.upgrade(url) == schema.revisions()[5:]
        for name in ("a", "b"):
            assert [row[2:7] for row in select(url, f"dataset_bars_{name}")] == [
                (1, 3, 1, 2, 5),
                (2, 3, 1, 2, None),
            ]
        assert [row[2:7] for row in select(url, "dataset_bars_a_5m")] == [(1, 3, 1, 2, 5)]
        assert one(url, "SELECT to_regclass('dataset_bars') IS NULL")
