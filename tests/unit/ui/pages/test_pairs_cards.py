"""Cards of live numbers and their states."""

from typing import Any

import msgspec
import pytest

from services.common.clock import SECOND
from services.contracts.messages import Filling
from services.ui.api.types import Status, WatchedPair
from services.ui.pages.pairs.cards import cards
from services.ui.pages.pairs.metrics import METRICS
from services.ui.pages.pairs.spans import DEFAULT
from services.ui.pages.pairs.texts import labels, state
from services.ui.state.live_state import LiveState, Now
from services.ui.state.pair_state import PAST, PAUSED
from services.ui.widgets.formatting import NONE
from tests.unit.ui.answers import answer, snapshot, stats, tape, update
from tests.unit.ui.conftest import START_S, Make


@pytest.fixture
def market(pair: WatchedPair, tick: Make, signal: Make, now: Now) -> LiveState:
    market = LiveState()
    market.watch([pair], [stats("ETHUSDT", change_24h_pct=-1.234, volume_24h=12345.6), stats("BTCUSDT")])
    market.apply(snapshot("live", ticks=(tick(), tick("BTCUSDT", 64000.1)), signals=(signal(),)), now)
    market.link(True, now)
    return market


def later(now: Now, seconds: float) -> Now:
    return Now(now.us + int(seconds * SECOND), now.s + seconds)


def shown(props: dict[str, dict[str, Any]], name: str) -> tuple[str, str, str]:
    return (
        props[f"metric-{name}"]["children"],
        props[f"metric-{name}-note"]["children"],
        props[f"card-{name}"]["className"].removeprefix("card is-").split(" of-")[0],
    )


def test_numbers_have_the_digits_they_deserve(market: LiveState, pair: WatchedPair, now: Now) -> None:
    props = cards(market, pair, now)
    assert shown(props, "y") == ("3\u202f400.25", "−1.23 % in 24 h\n12.35 k traded in 24 h", "ok")
    assert shown(props, "x") == ("64\u202f000.1", "0 traded in 24 h", "ok")
    assert shown(props, "spread") == ("+1.250", "in the unit of ETHUSDT's price", "ok")
    assert shown(props, "zscore") == ("+0.75", "entry ±2, exit ±0.5", "ok")
    assert shown(props, "hedge-ratio") == ("0.052310", "OLS, window 300", "ok")
    assert shown(props, "correlation") == ("+0.870", "window 300", "ok")
    assert props["label-y"]["children"] == "ETHUSDT"


@pytest.mark.parametrize(
    ("ms", "note", "title", "tone"),
    [
        (None, "−1.23 % in 24 h\n12.35 k traded in 24 h", "", ""),
        (85, "−1.23 % in 24 h\n12.35 k traded in 24 h", "ETHUSDT: delivered 85 ms after the trade", ""),
        (1_000, "−1.23 % in 24 h\n12.35 k traded in 24 h", "ETHUSDT: delivered 1.0 s after the trade", ""),
        (5_104, "delivered 5.1 s late\n−1.23 % in 24 h", "ETHUSDT: delivered 5.1 s late", "delayed"),
    ],
)
def test_a_leg_says_how_late_it_is_delivered(
    market: LiveState, pair: WatchedPair, now: Now, ms: int | None, note: str, title: str, tone: str
) -> None:
    tapes = tape("BTCUSDT", delivery_now_ms=90_000), tape("ETHUSDT", delivery_now_ms=ms)
    market.apply(update(status=answer(Status, symbols=tapes)), now)
    props = cards(market, pair, now)
    assert shown(props, "y")[1] == note
    assert props["card-y"]["title"] == title
    assert props["card-y"]["className"].endswith(f"of-y {tone}".strip())
    assert shown(props, "x")[1] == "delivered 90.0 s late\n0 traded in 24 h"
    # What is stale is told as such.
    props = cards(market, pair, later(now, pair.stale_after_s + 1))
    assert (shown(props, "y")[1], "delayed" in props["card-y"]["className"]) == ("stale, no trades", False)


@pytest.mark.parametrize(
    ("zscore", "text", "note", "tone"),
    [
        (2.0, "+2.00", "beyond entry ±2", "hot"),
        (-2.4, "−2.40", "beyond entry ±2", "hot"),
        (0.5, "+0.50", "within exit ±0.5", "calm"),
        (1.2, "+1.20", "entry ±2, exit ±0.5", ""),
        (-1.9961, "−1.996", "entry ±2, exit ±0.5", ""),  # two decimals would be those of the threshold
    ],
)
def test_the_z_score_is_judged(
    market: LiveState,
    pair: WatchedPair,
    signal: Make,
    now: Now,
    zscore: float,
    text: str,
    note: str,
    tone: str,
) -> None:
    market.apply(update(signals=(signal(zscore=zscore),)), now)
    props = cards(market, pair, now)
    assert shown(props, "zscore")[:2] == (text, note)
    assert props["card-zscore"]["className"].endswith(f"of-zscore {tone}".strip())


def test_not_enough_data_shows_progress_and_no_number(
    market: LiveState, pair: WatchedPair, signal: Make, now: Now
) -> None:
    thin = signal(
        zscore=None, spread=None, hedge_ratio=None, price_correlation=None, samples=75, quality="not_enough_data",
        reason="75 samples, 300 needed",
    )  # fmt: skip
    market.apply(update(signals=(thin,)), now)
    props = cards(market, pair, now)
    for name in ("spread", "zscore", "hedge-ratio", "correlation"):
        assert shown(props, name) == ("75 / 300", "75 samples, 300 needed", "collecting")
    assert props["card-zscore"]["style"] == {"--progress": "25%"}
    assert props["card-zscore"]["title"] == "75 samples of 300 needed"
    assert shown(props, "y")[2] == "ok"


def test_a_number_that_is_not_known_is_not_a_zero(
    market: LiveState, pair: WatchedPair, signal: Make, now: Now
) -> None:
    market.apply(
        update(signals=(signal(price_correlation=None, quality="stale", reason="BTCUSDT is quiet"),)),
        now,
    )
    props = cards(market, pair, now)
    assert shown(props, "correlation") == (NONE, "BTCUSDT is quiet", "stale")
    assert shown(props, "zscore") == ("+0.75", "stale: BTCUSDT is quiet", "stale")


def test_a_number_says_whether_its_second_is_open_as_the_chart_has_closed_ones(
    market: LiveState, pair: WatchedPair, signal: Make, now: Now
) -> None:
    props = cards(market, pair, now)
    assert props["metric-zscore-age"]["children"] == "now"
    assert props["card-zscore"]["title"].startswith("Of the last closed second, as the end of the chart.")
    open_second = signal(zscore=1.5, spread=2.5, hedge_ratio=0.07, closed=False, reversion="unproven")
    market.apply(update(signals=(open_second,)), now)
    props = cards(market, pair, now)
    for name in ("spread", "zscore", "hedge-ratio", "correlation"):
        assert props[f"metric-{name}-age"]["children"] == "live"
        assert "Live: of the second that is still open." in props[f"card-{name}"]["title"]
    assert "looked at once a minute" in props["card-reversion"]["title"]
    assert cards(market, pair, later(now, 4))["metric-zscore-age"]["children"] == "4 s ago"
    said = labels(market, pair, DEFAULT, "band: 0 to 1", "UTC")
    assert said["legend-zscore"]["children"] == "closed seconds; entry ±2, exit ±0.5"
    assert said["legend-hedge-ratio"]["children"] == "of the live window; band: 0 to 1"
    # The formula beside the spread's line is that of its last point.
    assert "0.05231" in said["legend-spread"]["children"]


def test_silence_turns_every_number_stale(market: LiveState, pair: WatchedPair, now: Now) -> None:
    props = cards(market, pair, later(now, 12))
    for name in ("y", "x", "spread", "zscore"):
        assert shown(props, name)[2] == "stale"
        assert props[f"metric-{name}-age"]["children"] == "12 s ago"


def test_numbers_of_a_past_that_is_played_say_so(
    market: LiveState, pair: WatchedPair, service: Make, now: Now
) -> None:
    market.services = (service("ingest", filling=Filling(340, 900)),)
    props = cards(market, pair, later(now, 700))
    assert shown(props, "y") == ("3\u202f400.25", PAST, "stale")
    assert shown(props, "zscore") == ("+0.75", f"stale: {PAST}", "stale")
    assert props["metric-zscore-age"]["children"] == "11 min ago"
    signal = market.signals[pair.pair].message
    assert state(market, pair, signal, later(now, 700)) == f"Stale: {PAST}"
    market.link(False, later(now, 700), "gone")
    assert shown(cards(market, pair, later(now, 700)), "y")[1] == "stale, no trades"
    market.link(True, later(now, 700))
    market.services = (service("ingest"),)
    assert state(market, pair, signal, later(now, 700)) == "Stale: no signal for more than 10 s"


def test_what_is_wrong_with_a_pair_is_said_while_it_is_measured(
    market: LiveState, pair: WatchedPair, now: Now
) -> None:
    signal = market.signals[pair.pair].message
    assert state(market, pair, signal, now) == ""
    doubtful = msgspec.structs.replace(pair, warning="expected an intercept")
    assert state(market, doubtful, signal, now) == "Unreliable: expected an intercept."
    assert state(market, msgspec.structs.replace(doubtful, paused=True), signal, now) == PAUSED


def test_a_lost_stream_turns_every_number_stale(market: LiveState, pair: WatchedPair, now: Now) -> None:
    market.link(False, now, "gone")
    assert {shown(cards(market, pair, now), name)[2] for name in ("y", "zscore")} == {"stale"}


def test_a_replay_of_old_trades_is_not_stale(market: LiveState, pair: WatchedPair, now: Now) -> None:
    market.feed = "replay"
    years_later = Now(now.us + 10**15, now.s + 1)
    assert shown(cards(market, pair, years_later), "y")[2] == "ok"


def test_before_anything_is_known_nothing_is_claimed(pair: WatchedPair, now: Now) -> None:
    props = cards(LiveState(), pair, now)
    assert shown(props, "y") == (NONE, "waiting for a first trade", "waiting")
    assert shown(props, "zscore") == (NONE, "waiting for a first signal", "waiting")
    assert shown(cards(LiveState(), None, now), "y")[0] == NONE


def test_the_hover_text_says_what_a_number_is_until_there_is_worse_to_say(
    market: LiveState, pair: WatchedPair, signal: Make, now: Now
) -> None:
    market.apply(update(signals=(signal(START_S + 1, reversion="unproven"),)), now)
    props = cards(market, pair, now)
    for metric in METRICS:
        assert props[f"card-{metric.name}"]["title"].endswith(metric.explained)
    stale = cards(market, pair, later(now, 900))
    assert stale["card-zscore"]["title"] == "No signal for more than 10 s"


def test_a_paused_pair_says_so_on_every_number_that_stands(
    market: LiveState, pair: WatchedPair, now: Now
) -> None:
    paused = msgspec.structs.replace(pair, paused=True)
    props = cards(market, paused, later(now, 900))
    for name, value in (("spread", "+1.250"), ("zscore", "+0.75"), ("reversion", NONE)):
        assert shown(props, name)[0] == value
        assert shown(props, name)[2] == "paused"
        assert props[f"card-{name}"]["title"].startswith("Paused")
    assert shown(cards(LiveState(), paused, now), "zscore")[1] == "paused"
