"""History of a scan: what each odd universe becomes: closes, symbols left out with the reason, or one refusal."""

import asyncio
from datetime import timedelta

import numpy as np
import psycopg
import pytest

from services.common import clock
from services.common.settings import DatabaseSettings
from services.contracts import scans
from services.contracts.scans import ScanRequest, estimate_s, pairs_of, too_many
from services.research.scan import history, run
from services.research.scan.history import History, UnfitError
from services.research.scan.run import FoundPairs
from services.store import database
from tests.research import START, names, store_bars
from tests.unit.quant.scan.test_scan import walks

BARS = 200
SYMBOLS = names(4)


@pytest.fixture
def url(database_url: str) -> str:
    """Return the URL of a store whose bars are tables, because bars are stored here without their ticks."""
    return database_url


def read(url: str, **asked: object) -> History:
    """Return the closes that are asked for."""

    async def ask() -> History:
        async with database.connect(DatabaseSettings(database_url=url), "test") as connection:
            return await history.read(connection, ScanRequest(**asked), lambda _: None)  # type: ignore[arg-type]

    return asyncio.run(ask())


def scanned(url: str, **asked: object) -> FoundPairs:
    """Return what a scan of them finds."""
    return asyncio.run(run.run(ScanRequest(**asked), read(url, **asked), lambda _: None))  # type: ignore[arg-type]


def test_the_newest_bars_are_read_and_a_window_longer_than_the_history_is_all_of_it(url: str) -> None:
    store_bars(url, walks(1, BARS, 4), SYMBOLS)
    newest, every = read(url, bars=60), read(url, bars=100_000)
    assert (len(newest.closes.at_us), len(every.closes.at_us)) == (60, BARS)
    assert newest.closes.at_us[-1] == clock.from_datetime(START + timedelta(minutes=BARS - 1))
    assert every.closes.prices == pytest.approx(walks(1, BARS, 4))
    found = scanned(url, bars=1_000)
    assert (found.summary.asked_bars, found.summary.bars + found.summary.held_out_bars) == (1_000, BARS)


def test_a_bar_that_can_still_change_is_not_read(url: str) -> None:
    store_bars(url, walks(1, BARS, 2), SYMBOLS[:2])
    with psycopg.connect(url) as connection:
        inside = START + timedelta(minutes=BARS - 1, seconds=30)
        connection.execute("UPDATE ticks SET ts = %s", [inside])
    assert read(url).closes.at_us[-1] == clock.from_datetime(START + timedelta(minutes=BARS - 2))


def test_what_was_delisted_half_way_is_left_out_with_the_reason(url: str) -> None:
    prices = walks(1, BARS, 4)
    prices[BARS // 2 :, 3] = np.nan
    store_bars(url, prices, SYMBOLS)
    found = scanned(url)
    assert found.summary.left_out == {SYMBOLS[3]: "bars at 100 of 200 times, at least 95% are needed"}
    assert found.summary.tried == pairs_of(3)


def test_other_calendars_have_no_times_in_common(url: str) -> None:
    prices = walks(1, BARS, 4)
    prices[::2, :2] = np.nan
    prices[1::2, 2:] = np.nan
    store_bars(url, prices, SYMBOLS)
    with pytest.raises(UnfitError, match=r"received none \(S000USDT: bars at 100 of 200 times"):
        read(url)


def test_bars_that_are_all_equal_are_no_pair_and_say_why(url: str) -> None:
    store_bars(url, np.full((BARS, 3), 5.0), SYMBOLS[:3])
    found = scanned(url)
    assert (found.summary.tried, found.summary.refused, found.summary.confirmed) == (0, 3, 0)
    assert set(found.found.reasons.values()) == {"the series does not move but for its trend"}
    assert len(found.summary.symbols) == 3


def test_one_symbol_is_no_universe(url: str) -> None:
    store_bars(url, walks(1, BARS, 1), SYMBOLS[:1])
    with pytest.raises(UnfitError, match="symbols: expected at least two, received S000USDT"):
        read(url)


def test_more_closes_than_a_worker_can_hold_are_refused_while_they_are_read(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_bars(url, walks(1, BARS, 4), SYMBOLS)
    monkeypatch.setattr(history, "MOST_CLOSES", 500)
    with pytest.raises(
        UnfitError, match="expected at most 500 closes of all symbols together, received more"
    ):
        read(url)


def test_a_million_pairs_have_an_estimate_and_more_have_a_bound() -> None:
    assert pairs_of(scans.MOST_SYMBOLS) > 1_000_000
    assert too_many(scans.MOST_SYMBOLS, 4_320) is None
    assert 60 < estimate_s(scans.MOST_SYMBOLS, 4_320) < 600
    assert too_many(scans.MOST_SYMBOLS + 1, 100) == (
        "at most 1,415 symbols, which are 1,000,405 pairs, received 1,416"
    )
