"""Live state: the newest messages of the API."""

from services.common.clock import SECOND
from services.ui.api.types import Status, WatchedPair
from services.ui.state.alert_state import ALERTS_KEPT
from services.ui.state.live_state import CLOSES_KEPT, LiveState, Now
from tests.unit.ui.answers import answer, snapshot, stats, update
from tests.unit.ui.conftest import PAIR, START_S, Make


def test_the_newest_wins_whatever_the_order(tick: Make, signal: Make, now: Now) -> None:
    market = LiveState()
    market.apply(snapshot("live", ticks=(tick(price=2.0, event_us=20),)), now)
    market.apply(update(ticks=(tick(price=1.0, event_us=10),), signals=(signal(),)), now)
    assert market.ticks["ETHUSDT"].message.price == 2.0
    assert market.signals[PAIR].message.zscore == 0.75
    assert market.feed == "live"


def test_closes_are_kept_whatever_is_later_between_them(signal: Make, now: Now) -> None:
    market = LiveState()
    closes = [signal(START_S + n) for n in range(CLOSES_KEPT + 3)]
    between = signal(START_S + 100, closed=False)
    market.apply(update(signals=(closes[0], between)), now)
    market.apply(update(signals=tuple(closes[1:])), now)
    assert list(market.closes[PAIR]) == closes[3:]
    assert market.signals[PAIR].message == between
    market.apply(snapshot(signals=(closes[-1],)), now)
    assert list(market.closes[PAIR]) == closes[-1:]


def test_a_correction_replaces_its_close_and_is_never_the_newest_of_another_second(
    signal: Make, now: Now
) -> None:
    market = LiveState()
    closes = [signal(START_S + n) for n in range(CLOSES_KEPT)]
    market.apply(snapshot(signals=tuple(closes)), now)
    corrected = [signal(START_S + n, revision=1, late=1) for n in (-5, 3, CLOSES_KEPT - 1)]
    market.apply(update(signals=tuple(corrected)), now)
    assert list(market.closes[PAIR]) == [*closes[:3], corrected[1], *closes[4:-1], corrected[2]]
    assert market.signals[PAIR].message == corrected[2]
    assert market.corrections[PAIR].after(0) == corrected
    again = signal(START_S - 100)  # an old tape begins again
    market.apply(update(signals=(again,)), now)
    assert market.closes[PAIR][-1] == again
    market.apply(snapshot(signals=(closes[0],)), now)
    assert market.corrections[PAIR].after(3) is None


def test_how_many_trades_were_late_is_told_between_closes(signal: Make, now: Now) -> None:
    market = LiveState()
    between = signal(START_S + 1, closed=False, late=12)
    market.apply(update(signals=(between, signal(START_S + 1, late=1))), now)
    assert market.late == {PAIR: 12}


def test_a_snapshot_replaces_what_was_known(tick: Make, alert: Make, now: Now) -> None:
    market = LiveState()
    market.apply(snapshot("live", ticks=(tick(),), alerts=(alert(),)), now)
    market.apply(snapshot("replay"), now)
    assert (market.ticks, market.alerts, market.feed) == ({}, (), "replay")


def test_alerts_are_kept_once_newest_first(alert: Make, now: Now) -> None:
    market = LiveState()
    many = tuple(alert(number, START_S + number) for number in range(ALERTS_KEPT + 10))
    market.apply(update(alerts=many), now)
    market.apply(update(alerts=many[-5:]), now)
    assert len(market.alerts) == ALERTS_KEPT
    assert market.alerts[0] == many[-1]
    assert list(market.alerts) == sorted(market.alerts, key=lambda one: one.event_us, reverse=True)


def test_status_names_the_feed_and_the_services(service: Make, now: Now) -> None:
    market = LiveState()
    market.apply(update(status=answer(Status, services=(service(),), feed="synthetic")), now)
    market.apply(update(), now)
    assert market.feed == "synthetic"
    assert [one.service for one in market.services] == ["sink"]


def test_decimals_are_the_most_a_symbol_has_shown(tick: Make, pair: WatchedPair, now: Now) -> None:
    market = LiveState()
    market.watch([pair], [stats("ETHUSDT", last_price=3400.5), stats("BTCUSDT")])
    market.apply(update(ticks=(tick(price=3400.25, event_us=1), tick(price=3400.0, event_us=2))), now)
    assert market.decimals == {"ETHUSDT": 2}


def test_age_counts_from_the_trade_but_in_a_replay_from_its_arrival(tick: Make, now: Now) -> None:
    market = LiveState()
    market.apply(snapshot("live", ticks=(tick(event_us=now.us - 60 * SECOND),)), now)
    later = Now(now.us + 2 * SECOND, now.s + 2)
    assert market.age_s(market.ticks["ETHUSDT"], later) == 62
    market.feed = "replay"
    assert market.age_s(market.ticks["ETHUSDT"], later) == 2


def test_the_link_remembers_since_when(now: Now) -> None:
    market = LiveState()
    market.link(True, now)
    market.link(True, Now(now.us, now.s + 5))
    assert market.changed_s == now.s
    market.link(False, Now(now.us, now.s + 9), "gone")
    assert (market.connected, market.connected_before, market.changed_s, market.error) == (
        False,
        True,
        now.s + 9,
        "gone",
    )
