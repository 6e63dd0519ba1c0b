"""Table of symbols."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.common.clock import MINUTE, SECOND
from services.ui.api.types import Bar
from services.ui.pages.market import symbols
from services.ui.series.cache import HOUR_BARS
from services.ui.state.live_state import LiveState, Now
from tests.unit.ui.answers import answer, stats, update
from tests.unit.ui.conftest import START_S, Make, track_of

DAY = {"volume_24h": 10_250.5, "tick_rate": 9.4, "change_24h_pct": -1.234}


def a_bar(minute: int, close: float) -> Bar:
    return answer(Bar, start_us=minute * MINUTE, close=close)


def test_a_row_tells_the_last_trade_and_the_day(market: LiveState, bar: Make, now: Now) -> None:
    market.watch([], [stats("ETHUSDT", last_price=3000.0, last_event_us=1, **DAY), stats("NEWUSDT")])
    hour = track_of([bar(START_S - 60, close=3400.0), bar(START_S, close=3434.0)])
    eth, new = symbols.rows(market, {"ETHUSDT": hour}, now).values()
    assert eth["text"] == {
        "last": "3\u202f400.25",  # of the stream, not of the last reading of the day
        "change": "−1.23\u202f%",
        "hour": "+1.00\u202f%",
        "age": "now",
        "volume": "10.25 k",
        "rate": "9.4/s",
    }
    assert not eth["stale"]
    nothing = dict.fromkeys(("last", "change", "hour", "age"), "—")
    assert new["text"] == {**nothing, "volume": "0", "rate": "0.0/s"}
    assert new["stale"]


def test_a_symbol_that_is_stored_and_not_collected_says_so(market: LiveState, now: Now) -> None:
    known = stats("OLDUSDT", collected=False, first_event_us=0, last_event_us=90 * SECOND, tick_rate=9.0)
    market.watch([], [known, stats("NEWUSDT", collected=False)])
    rows = symbols.rows(market, {}, now)
    assert (rows["OLDUSDT"]["rate"], rows["OLDUSDT"]["text"]["rate"]) == (None, "stored")
    assert rows["OLDUSDT"]["note"] == (
        "Not collected now; stored from 1970-01-01 00:00:00 UTC to 1970-01-01 00:01:30 UTC."
    )
    assert rows["NEWUSDT"]["note"] == "Not collected now; nothing is stored."


def test_a_symbol_collected_for_less_than_a_day_says_since_when(market: LiveState, now: Now) -> None:
    market.watch(
        [], [stats("ETHUSDT", first_event_us=3_780 * SECOND), stats("SOLUSDT", first_event_us=0, **DAY)]
    )
    rows = symbols.rows(market, {}, now, "Asia/Tokyo")
    assert rows["ETHUSDT"]["text"]["change"] == "since 10:03"
    assert rows["SOLUSDT"]["text"]["change"] == "−1.23\u202f%"


def test_age_grows_and_is_stale_at_last(market: LiveState, now: Now) -> None:
    def seen(seconds: float) -> dict[str, Any]:
        at = Now(now.us + int(seconds * SECOND), now.s + seconds)
        return symbols.rows(market, {}, at)["ETHUSDT"]

    assert (seen(1)["text"]["age"], seen(1)["stale"]) == ("now", False)
    assert (seen(12)["text"]["age"], seen(12)["stale"]) == ("12 s ago", True)


def test_a_replay_has_no_age_before_a_tick(market: LiveState, now: Now) -> None:
    market.watch([], [stats("SOLUSDT", last_price=148.0, last_event_us=now.us - 5 * SECOND)])
    assert symbols.rows(market, {}, now)["SOLUSDT"]["age"] == 5
    market.feed = "replay"
    assert symbols.rows(market, {}, now)["SOLUSDT"]["age"] is None


@given(st.dictionaries(st.integers(0, 200), st.floats(1e-6, 1e6), min_size=2))
def test_the_hour_is_drawn_from_its_closes(closes: dict[int, float]) -> None:
    bars = [a_bar(minute, close) for minute, close in sorted(closes.items())]
    last = max(closes)
    heights, moved = symbols.hour_line(bars)
    within = {minute: close for minute, close in closes.items() if minute > last - HOUR_BARS}
    if len(within) < 2:
        assert (heights, moved) == ([], None)
        return
    assert len(heights) == HOUR_BARS
    assert all(height is None or 0 <= height <= 100 for height in heights)
    # Before the first close nothing is known; after it a minute without a trade has the close before it.
    first = min(within)
    assert [height is None for height in heights] == [
        minute < first for minute in range(last - HOUR_BARS + 1, last + 1)
    ]
    if max(within.values()) > min(within.values()):
        assert {0, 100} <= set(heights)
    assert moved is not None
    assert abs(moved - (closes[last] / within[first] - 1) * 100) <= 1e-9 * (1 + abs(moved))


def test_one_minute_is_no_line() -> None:
    assert symbols.hour_line([a_bar(7, 1.0)]) == ([], None)
    assert symbols.hour_line([]) == ([], None)


def test_the_newest_of_tick_and_reading_is_the_last_price(market: LiveState, tick: Make, now: Now) -> None:
    assert symbols.last_price(market, "NOPE") is None
    market.watch([], [stats("SOLUSDT", last_price=148.0)])
    assert symbols.last_price(market, "SOLUSDT") == 148.0
    market.apply(update(ticks=(tick("SOLUSDT", 149.0),)), now)
    assert symbols.last_price(market, "SOLUSDT") == 149.0
