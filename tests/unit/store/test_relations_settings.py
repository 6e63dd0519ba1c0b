from datetime import timedelta

import pytest

from services.common.errors import FatalError
from services.common.settings import StoreSettings, load
from services.store.bars.policies import COLUMNSTORE, REFRESH, RETENTION, policies

DAY = timedelta(days=1)


def test_nothing_is_deleted_unless_somebody_says_so() -> None:
    settings = load(StoreSettings, {})
    assert set(settings.retentions.values()) == {None}
    assert settings.lateness == DAY
    assert not [one for one in policies(settings) if one.kind == RETENTION]


def test_a_retention_is_read_per_table() -> None:
    settings = load(
        StoreSettings,
        {
            "PAIRSTREAM_RETENTION_TICKS": "48h",
            "PAIRSTREAM_RETENTION_ALERTS": " 90d",
            "PAIRSTREAM_LATENESS": "15m",
        },
    )
    assert settings.lateness == timedelta(minutes=15)
    kept = {name: keep for name, keep in settings.retentions.items() if keep}
    assert kept == {"ticks": 2 * DAY, "alerts": 90 * DAY}


@pytest.mark.parametrize("lateness", ["1m", "3h", "1d", "30d"])
def test_refreshes_reach_back_beyond_the_lateness_and_nothing_is_compressed_or_deleted_before(
    lateness: str,
) -> None:
    settings = load(StoreSettings, {"PAIRSTREAM_LATENESS": lateness, "PAIRSTREAM_RETENTION_TICKS": "60d"})
    found = list(policies(settings))
    starts = [one.offsets["start_offset"] for one in found if one.kind == REFRESH]
    assert len(starts) == 4
    assert starts == sorted(starts)
    assert starts[0] > settings.lateness
    assert min(one.offsets["compress_after"] for one in found if one.kind == COLUMNSTORE) > starts[-1]
    assert min(one.offsets["drop_after"] for one in found if one.kind == RETENTION) > starts[-1]


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"PAIRSTREAM_LATENESS": "soon"}, ["PAIRSTREAM_LATENESS", "such as 90s, 15m, 12h or 30d", "'soon'"]),
        ({"PAIRSTREAM_LATENESS": "0d"}, ["PAIRSTREAM_LATENESS", "'0d'"]),
        ({"PAIRSTREAM_RETENTION_SIGNALS": "1 week"}, ["PAIRSTREAM_RETENTION_SIGNALS", "30d", "'1 week'"]),
        (
            {"PAIRSTREAM_RETENTION_TICKS": "1d"},
            ["PAIRSTREAM_RETENTION_TICKS", "lateness and 4 hours", "1 day"],
        ),
        (
            {"PAIRSTREAM_RETENTION_BARS_1S": "30d"},
            ["PAIRSTREAM_RETENTION_BARS_1S", "retention_ticks, which is forever", "30 days"],
        ),
        (
            {
                "PAIRSTREAM_RETENTION_TICKS": "30d",
                "PAIRSTREAM_RETENTION_BARS_1S": "60d",
                "PAIRSTREAM_RETENTION_BARS_1M": "59d",
            },
            ["PAIRSTREAM_RETENTION_BARS_1M", "retention_bars_1s, which is 60 days", "59 days"],
        ),
        ({"PAIRSTREAM_TIMESCALEDB": "on"}, ["PAIRSTREAM_TIMESCALEDB", "'auto' or 'off'", "'on'"]),
    ],
)
def test_a_wrong_value_is_one_line_that_says_what_would_be_right(
    environ: dict[str, str], words: list[str]
) -> None:
    with pytest.raises(FatalError) as caught:
        load(StoreSettings, environ)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message
