"""Decisions on symbols in the store: the topic rules."""

import asyncio
from collections.abc import Iterator

import psycopg
import pytest

from services.common.settings import DatabaseSettings
from services.contracts.listings import SymbolConfig
from services.store import database, symbols


@pytest.fixture
def url(store_url: str) -> Iterator[str]:
    yield store_url
    with psycopg.connect(store_url) as connection:
        connection.execute("TRUNCATE symbols")


def test_what_was_stored_last_is_read_back(url: str) -> None:
    first = SymbolConfig(symbol="币安人生USDT"), SymbolConfig(symbol="BTCUSDT", collected=False)
    last = SymbolConfig(symbol="BTCUSDT"), SymbolConfig(symbol="1000PEPEUSDT", collected=False)

    async def run() -> list[dict[str, SymbolConfig]]:
        found = []
        async with database.connect(DatabaseSettings(database_url=url), "test") as connection:
            for configs in (first, last, ()):
                await symbols.mirror(connection, {config.symbol: config for config in configs})
                found.append(await symbols.stored(connection))
        return found

    told = [{config.symbol: config for config in configs} for configs in (first, last, ())]
    assert asyncio.run(run()) == told
