"""Pairs in the store: all of a configuration is kept, the topic rules, and removed pairs are remembered."""

import asyncio
from collections.abc import Iterator

import msgspec
import psycopg
import pytest

from services.common.settings import DatabaseSettings
from services.contracts.messages import PairConfig
from services.store import database, pairs

PLAIN = PairConfig(pair="ETHUSDT-BTCUSDT")
# Nothing of it is the default. Of logarithms through the origin, which nobody may ask for any more, some are stored.
OTHER = PairConfig(
    pair="SOLUSDT.OKX-BTCUSDT",
    window=40,
    method="ols_origin",
    transform="log",
    intercept=False,
    min_samples=7,
    entry_z=3.25,
    exit_z=0.125,
    stale_after_s=0.5,
    paused=True,
    only_while_reverting=True,
)
# Fewer samples than it asks for, which a message may say.
SHORT = PairConfig(pair="XRPUSDT-BTCUSDT", window=10, min_samples=30)


@pytest.fixture
def url(store_url: str) -> Iterator[str]:
    yield store_url
    with psycopg.connect(store_url) as connection:
        connection.execute("TRUNCATE pairs, removed_pairs")


def after(url: str, *rounds: list[PairConfig]) -> tuple[list[PairConfig], set[str]]:
    """Return the pairs and the removed names after these have been the pairs, one set after the other."""

    async def run() -> tuple[list[PairConfig], set[str]]:
        async with database.connect(DatabaseSettings(database_url=url), "test") as connection:
            for configs in rounds:
                await pairs.mirror(connection, {config.pair: config for config in configs})
            stored = await pairs.stored(connection)
            assert list(stored) == [config.pair for config in stored.values()]
            return list(stored.values()), await pairs.removed(connection)

    return asyncio.run(run())


def test_no_field_keeps_its_default_in_this_test() -> None:
    defaults = PairConfig(pair=OTHER.pair)
    same = [name for name in OTHER.__struct_fields__ if getattr(OTHER, name) == getattr(defaults, name)]
    assert same == ["pair"]


def test_what_was_stored_is_read_back_field_by_field(url: str) -> None:
    assert after(url, [SHORT, OTHER, PLAIN]) == ([PLAIN, OTHER, SHORT], set())


@pytest.mark.parametrize("pair", ["GOLD-26--BTCUSDT", "BTCUSDT--SILVER-26-A", "A-B--C-D"])
def test_pairs_of_symbols_with_hyphens_are_stored(url: str, pair: str) -> None:
    config = PairConfig(pair=pair)
    assert after(url, [config]) == ([config], set())


def test_the_latest_settings_hold_and_what_is_gone_is_remembered(url: str) -> None:
    changed = msgspec.structs.replace(PLAIN, window=20, paused=True)
    assert after(url, [PLAIN, OTHER], [changed]) == ([changed], {OTHER.pair})
    assert after(url, []) == ([], {PLAIN.pair, OTHER.pair})


def test_a_pair_that_comes_back_is_no_longer_removed(url: str) -> None:
    assert after(url, [PLAIN, OTHER], [PLAIN], [PLAIN, OTHER]) == ([PLAIN, OTHER], set())


def test_two_sinks_at_once_do_not_meet(url: str) -> None:
    async def mirror(configs: dict[str, PairConfig]) -> None:
        async with database.connect(DatabaseSettings(database_url=url), "test") as connection:
            for _ in range(20):
                await pairs.mirror(connection, configs)

    async def both() -> None:
        configs = {config.pair: config for config in (PLAIN, OTHER)}
        await asyncio.gather(mirror(configs), mirror(configs))

    asyncio.run(both())
    assert after(url) == ([PLAIN, OTHER], set())
