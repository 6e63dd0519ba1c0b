"""Rows of the table of all pairs."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ui.api.types import WatchedPair, ZscoreLine
from services.ui.pages.overview import columns, rows
from services.ui.state import pair_state
from services.ui.state.live_state import LiveState, Now
from services.ui.widgets.formatting import NONE
from tests.unit.ui.answers import update
from tests.unit.ui.conftest import PAIR, START_S, Make


def row(market: LiveState, now: Now, zone: str = "UTC", *zscores: float | None) -> dict[str, Any]:
    line = ZscoreLine(pair=PAIR, end_us=now.us, step_s=30.0, zscores=zscores)
    states = pair_state.states(market, now)
    return rows.rows(states, {PAIR: line}, market.alarms.newest_of_pairs(), zone)[PAIR]


def test_a_row_has_every_number_as_number_and_as_text(market: LiveState, signal: Make, now: Now) -> None:
    market.apply(
        update(
            signals=(
                signal(
                    START_S + 1,
                    zscore=-2.125,
                    zscore_rank=0.9876,
                    spread=-3.4,
                    y_price=3400.0,
                    return_correlation=0.41,
                    half_life_s=42.5,
                    reversion="reverting",
                    cointegration_p=0.01,
                ),
            )
        ),
        now,
    )
    shown = row(market, now)
    text = shown["text"]
    assert (shown["z"], text["z"], shown["is_beyond"]) == (2.125, "2.12", True)
    assert (shown["rank"], text["rank"]) == (0.9876, "98.7 %")
    assert (round(shown["bp"], 6), text["bp"]) == (-10.0, "\N{MINUS SIGN}10.0")
    assert (text["returns"], text["half_life"], text["reversion"]) == ("+0.410", "42 s", "reverting")
    assert (shown["state"], shown["kinds"], shown["is_old"]) == ("Live", ["reverting"], False)
    assert shown["life"].startswith("half-life 42 s")
    assert {column["field"] for column in columns.COLUMNS} <= shown.keys()


def test_a_spread_of_log_prices_is_in_basis_points_by_itself(
    market: LiveState, pair: WatchedPair, signal: Make, now: Now
) -> None:
    market.watch([msgspec.structs.replace(pair, transform="log")], [])
    market.apply(update(signals=(signal(START_S + 1, spread=0.00123),)), now)
    assert row(market, now)["text"]["bp"] == "+12.3"


def test_what_is_not_known_is_a_dash_and_no_zero(market: LiveState, signal: Make, now: Now) -> None:
    unknown = dict.fromkeys(("zscore", "spread", "zscore_rank", "reversion", "half_life_s"))
    known = signal(START_S + 1, quality="not_enough_data", reason="12 samples, 30 needed", **unknown)
    market.apply(update(signals=(known,)), now)
    shown = row(market, now)
    assert {shown[name] for name in ("z", "rank", "bp", "reversion", "half_life")} == {None}
    assert {shown["text"][name] for name in ("z", "rank", "bp", "reversion", "half_life", "alert")} == {NONE}
    assert (shown["state"], shown["kinds"]) == ("12 samples, 30 needed", [])


def test_a_pair_that_is_stale_is_found_by_that_and_not_by_what_it_was(
    market: LiveState, signal: Make, alert: Make, now: Now
) -> None:
    old = signal(START_S + 1, quality="stale", reason="BTCUSDT went quiet", reversion="reverting")
    market.apply(update(signals=(old,), alerts=(alert(1),)), now)
    shown = row(market, now)
    assert (shown["state"], shown["kinds"]) == ("Stale: BTCUSDT went quiet", ["stale", "alerting"])
    assert shown["is_old"]
    market.link(False, now, "gone")
    assert row(market, now)["state"] == "Last known: the stream is lost"
    assert row(market, now)["kinds"] == ["stale", "alerting"]


def test_the_last_alert_fires_or_says_what_became_of_it(market: LiveState, alert: Make, now: Now) -> None:
    assert row(market, now)["text"]["alert"] == NONE
    market.apply(update(alerts=(alert(1),)), now)
    fired = row(market, now, "Asia/Tokyo")
    assert (fired["text"]["alert"], fired["state"]) == ("Firing since 07:13", "Live, alerting")
    assert fired["is_firing"]
    market.apply(update(alerts=(alert(2, START_S + 1, state="resolved"),)), now)
    assert row(market, now)["text"]["alert"] == "Resolved 22:13"
    assert not row(market, now)["is_firing"]


def test_an_alert_of_another_day_says_which(market: LiveState, alert: Make, now: Now) -> None:
    market.apply(update(alerts=(alert(1, START_S - 3 * 86_400, state="resolved"),)), now)
    assert row(market, now)["text"]["alert"] == "Resolved 11-11 22:13"


@pytest.mark.parametrize(
    ("value", "clipped", "text"), [(1.0, True, "≥ +1.000"), (-1.0, True, "≤ −1.000"), (1.0, False, "+1.000")]
)
def test_a_clipped_correlation_of_returns_says_which_side_it_is_on(
    market: LiveState, signal: Make, value: float, clipped: bool, text: str, now: Now
) -> None:
    one = signal(START_S + 1, return_correlation=value, return_correlation_clipped=clipped)
    market.apply(update(signals=(one,)), now)
    assert row(market, now)["text"]["returns"] == text


@pytest.mark.parametrize("paused", [True, False])
def test_a_paused_pair_says_so(market: LiveState, pair: WatchedPair, paused: bool, now: Now) -> None:
    market.watch([msgspec.structs.replace(pair, paused=paused)], [])
    assert (row(market, now)["state"], row(market, now)["is_old"]) == (
        ("Paused", True) if paused else ("Live", False)
    )


@given(
    zscores=st.lists(st.none() | st.floats(-1e3, 1e3), min_size=1, max_size=60),
    entry=st.floats(0.1, 100),
)
def test_a_line_stays_within_its_height_and_shows_its_thresholds(
    zscores: list[float | None], entry: float
) -> None:
    heights, at_entry = rows._heights(tuple(zscores), entry)
    assert 0 <= at_entry <= rows.HALF
    assert len(heights) in (0, len(zscores))
    for height, zscore in zip(heights, zscores, strict=False):
        assert (height is None) == (zscore is None)
        if height is not None and zscore is not None:
            assert abs(height) <= rows.HALF
            # What is beyond the threshold is drawn beyond it, or on it.
            assert abs(height) >= at_entry or abs(zscore) <= entry
