"""Retention: expired rows go, all others stay, on plain tables and beside hypertables."""

import asyncio
from datetime import timedelta

import psycopg
import pytest

from services.common.clock import HOUR, SECOND, now_us
from services.common.settings import StoreSettings
from services.sink import retention
from services.sink.disk_guard import DroppedTicks, drop_oldest
from services.store import database
from tests.contract.store import assert_bars, select, tick, write_all

pytestmark = pytest.mark.integration

DAY = timedelta(days=1)
NOW_US = now_us()
OLD = [tick(number, NOW_US - 72 * HOUR + number * SECOND) for number in range(1500)]
YOUNG = [tick(number, NOW_US - 40 * HOUR + number * SECOND, "ETHUSDT") for number in range(2000, 2100)]


def sweep(url: str, settings: StoreSettings) -> int:
    async def run() -> int:
        async with database.connect(settings, "test") as connection:
            return await retention.sweep(connection, settings.retentions)

    return asyncio.run(run())


def test_each_table_loses_what_is_too_old_for_it_and_nothing_else(database_url: str) -> None:
    asyncio.run(write_all(database_url, "ticks", [OLD, YOUNG]))
    settings = StoreSettings(database_url=database_url, retention_ticks=2 * DAY, retention_bars_1s=2 * DAY)
    assert sweep(database_url, settings) == 2 * len(OLD)
    assert [row[2] for row in select(database_url, "ticks")] == [one.trade_id for one in YOUNG]
    assert {row[0] for row in select(database_url, "ohlc_1s")} == {"ETHUSDT"}
    assert sum(row[8] for row in select(database_url, "ohlc_1m")) == len(OLD) + len(YOUNG)
    assert sweep(database_url, settings) == 0


def test_without_a_retention_everything_stays(database_url: str) -> None:
    asyncio.run(write_all(database_url, "ticks", [OLD]))
    assert sweep(database_url, StoreSettings(database_url=database_url)) == 0
    assert_bars(database_url, OLD)


def test_deliveries_and_alerts_are_deleted_on_every_server_and_hypertables_by_policies(store: str) -> None:
    with psycopg.connect(store) as connection:
        for number, days in enumerate((1, 3, 5)):
            connection.execute(
                "INSERT INTO alerts (alert_id, rule_id, rule, metric, subject, ts, state, message)"
                " VALUES (%s, 'r', 'r', 'm', 'Y-X', now() - %s * interval '1 day', 'firing', '')",
                [str(number), days],
            )
            connection.execute(
                "INSERT INTO deliveries (delivery_id, target_id, kind, alert_ids, title, message, ts, state)"
                " VALUES (%s, 't', 'begun', '{}', '', '', now() - %s * interval '1 day', %s)",
                [str(number), days, "failed" if days == 5 else "dead"],
            )
        connection.execute(
            'INSERT INTO signals (pair, ts, y_price, x_price, method, "window", samples, quality)'
            " VALUES ('Y-X', now() - interval '5 days', 1, 1, 'ols', 1, 1, 'ok')"
        )
    settings = StoreSettings(
        database_url=store, retention_alerts=4 * DAY, retention_deliveries=2 * DAY, retention_signals=DAY
    )
    deleted = sweep(store, settings)
    assert [row[0] for row in select(store, "alerts")] == ["0", "1"]
    assert {row[0] for row in select(store, "deliveries")} == {"0", "2"}, "what is to be tried again stays"
    assert deleted == 2 + (not select(store, "signals"))
    with psycopg.connect(store) as connection:
        connection.execute("TRUNCATE deliveries")


def test_of_a_full_disk_the_oldest_ticks_are_dropped_and_every_bar_stays(store: str) -> None:
    asyncio.run(write_all(store, "ticks", [OLD, YOUNG]))

    async def drop() -> DroppedTicks | None:
        async with database.connect(StoreSettings(database_url=store), "test") as connection:
            return await drop_oldest(connection, 2 * DAY)

    bars = select(store, "ohlc_1m")
    found = []
    while (dropped := asyncio.run(drop())) is not None:
        found.append(dropped)
    left = {row[2] for row in select(store, "ticks")}
    assert left >= {one.trade_id for one in YOUNG}
    assert [one.before for one in found] == sorted({one.before for one in found})
    if all(one.rows is not None for one in found):
        assert sum(one.rows or 0 for one in found) == len(OLD)
        assert left == {one.trade_id for one in YOUNG}
    assert select(store, "ohlc_1m") == bars
