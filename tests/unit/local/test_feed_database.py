"""Database of each feed, and the names that the version before gave."""

import hashlib
from itertools import combinations

import pytest

from services.common.settings import load
from services.ingest.settings import IngestSettings
from services.local import feed_database


def settings(**values: str) -> IngestSettings:
    given = {"feed": "synthetic", "seed": "7", **values}
    return load(IngestSettings, {f"PAIRSTREAM_{name.upper()}": value for name, value in given.items()})


@pytest.mark.parametrize(
    "values",
    [{}, {"symbols": "BTCUSDT"}, {"symbols": "SOLUSDT,BTCUSDT,ETHUSDT"}, {"rate": "5000"}, {"speed": "10"}],
)
def test_there_is_one_database_for_each_seed(values: dict[str, str]) -> None:
    assert feed_database.name(settings(**values)) == "synthetic_7"


def test_other_seeds_and_feeds_have_others() -> None:
    names = [feed_database.name(settings(seed=seed)) for seed in ("7", "8", str(2**64 - 1))]
    names += [feed_database.name(settings(feed=feed, replay_file="a")) for feed in ("live", "replay")]
    assert len(set(names)) == 5
    # PostgreSQL cuts longer ones.
    assert max(map(len, names)) < 63


@pytest.mark.parametrize("rate", ["20", "5000"])
@pytest.mark.parametrize("symbols", ["BTCUSDT,ETHUSDT", "SOLUSDT"])
def test_every_name_of_the_version_before_is_known_that_of_the_same_settings_first(
    symbols: str, rate: str
) -> None:
    def before(rate: float, symbols: tuple[str, ...]) -> str:
        market = f"7 {rate} {sorted(symbols)}"
        return f"synthetic_{hashlib.sha256(market.encode()).hexdigest()[:12]}"

    former = feed_database.former_names(settings(symbols=symbols, rate=rate))
    assert next(iter(former)) == before(float(rate), tuple(symbols.split(",")))
    for count in range(1, 5):
        for some in combinations(("ETHUSDT", "BTCUSDT", "SOLUSDT", "BNBUSDT"), count):
            assert before(20.0, some) in former
            assert before(float(rate), some) in former


def test_other_feeds_have_kept_their_names() -> None:
    assert feed_database.former_names(settings(feed="live")) == {}
