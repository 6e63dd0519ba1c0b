"""The banner and the strip of services."""

from typing import Any

from msgspec.structs import replace

from services.contracts.messages import Filling
from services.ui.api.types import Status, WatchedPair
from services.ui.shell.notices import CATCHING_UP, FIRING_SHOWN, Notice, banner, firing, notices, strip
from services.ui.state.live_state import LiveState, Now
from tests.unit.ui.answers import answer, snapshot, stats, update
from tests.unit.ui.conftest import PAIR, START_S, Make


def connected(now: Now, *services: object, feed: str = "live") -> LiveState:
    market = LiveState()
    market.apply(snapshot(status=answer(Status, services=tuple(services))), now)
    market.link(True, now)
    return market


def test_nothing_is_said_when_all_is_well(pair: WatchedPair, service: Make, now: Now) -> None:
    market = connected(now, service())
    market.watch([pair], [])
    assert notices(market, now) == []


def test_a_lost_stream_is_said_with_its_reason_and_duration(service: Make, now: Now) -> None:
    market = connected(now, service(healthy=False))
    market.link(False, now, "refused")
    (notice,) = notices(market, Now(now.us, now.s + 7))
    assert notice.severity == "error"
    assert notice.text.startswith("Stream lost for 7 s")
    assert notice.text.endswith("refused.")


def test_a_stream_that_is_degraded_is_said_apart_from_the_api_as_long_as_it_is(
    service: Make, now: Now
) -> None:
    market = connected(now, service("api"))
    said = Notice(
        "warning", "The stream is degraded, what it brings may be old: the broker cannot be reached; a; b."
    )
    market.apply(update(degraded=("the broker cannot be reached", "a", "b")), now)
    market.apply(update(), now)
    market.apply(snapshot(scope="added"), now)
    assert notices(market, now) == [said]
    market.apply(update(degraded=()), now)
    assert notices(market, now) == []
    market.apply(snapshot(degraded=("the broker cannot be reached", "a", "b")), now)
    assert notices(market, now) == [said]
    market.link(False, now, "refused")
    assert said not in notices(market, now)
    market.link(True, now)
    market.apply(snapshot(), now)
    assert notices(market, now) == []


def test_each_sick_service_is_named(service: Make, now: Now) -> None:
    market = connected(
        now,
        service("sink", healthy=False, age_s=31.0),
        service("ingest", state="degraded", healthy=False, detail="no route to the venue"),
        service("api", state="unknown", healthy=False, age_s=None),
    )
    assert [notice.text for notice in notices(market, now)] == [
        "sink is silent, last heard 31 s ago.",
        "ingest is degraded, not healthy: no route to the venue.",
        "api is no heartbeat yet.",
    ]


def test_of_a_service_that_cannot_be_judged_nothing_is_said_but_that(service: Make, now: Now) -> None:
    market = connected(
        now, *(service(name, state="catching up", healthy=None) for name in ("ingest", "sink"))
    )
    assert notices(market, now) == [Notice("note", CATCHING_UP)]
    assert [_read(entry) for entry in strip(market)] == [("service is-unknown", "catching up")] * 2


def test_what_was_lost_is_a_warning_until_it_is_acknowledged(service: Make, process: Make, now: Now) -> None:
    lossy = service(
        state="degraded",
        healthy=False,
        detail="5 messages lost",
        unacknowledged={"ticks": 5},
        instances=(process("a"),),
    )
    market = connected(now, lossy)
    assert notices(market, now) == [Notice("warning", "sink is degraded: 5 messages lost.")]
    assert [_read(entry) for entry in strip(market)] == [("service is-warning", "degraded")]
    sick = replace(lossy, instances=(process("a", healthy=False),))
    assert [one.severity for one in notices(connected(now, sick), now)] == ["error"]


def test_one_that_is_gone_is_told_from_one_that_was_never_heard(
    service: Make, process: Make, now: Now
) -> None:
    dead = service(state="silent", healthy=False, age_s=None, instances=(process(state="silent"),))
    assert [one.text for one in notices(connected(now, dead), now)] == [
        "sink is silent since before the API started."
    ]
    one_of_two = service(
        state="silent", healthy=False, age_s=31.0, instances=(process(state="silent"), process("b"))
    )
    assert [one.text for one in notices(connected(now, one_of_two), now)] == ["sink: 1 of 2 silent."]
    ended = service(state="stopped", healthy=False, age_s=40.0)
    assert [one.text for one in notices(connected(now, ended), now)] == ["sink is stopped."]


def test_a_replay_that_has_ended_is_a_note(service: Make, now: Now) -> None:
    market = connected(now, service("ingest", state="finished"))
    assert notices(market, now) == [Notice("note", "ingest has finished: the feed has no more trades.")]


def test_how_much_of_the_past_has_been_played_is_a_quiet_note(service: Make, now: Now) -> None:
    ingest = service("ingest", filling=Filling(340.9, 912.3))
    found = notices(connected(now, ingest, service("sink", state="degraded", detail="busy")), now)
    assert [(one.severity, one.text) for one in found] == [
        ("warning", "sink is degraded: busy."),
        ("note", "filling: 340 of 912 s; the page shows old data."),
    ]
    shown: Any = banner(found)
    assert [getattr(line, "aria-live", None) for line in shown] == [None, "off"]
    assert notices(connected(now, service("ingest")), now) == []


def test_a_heartbeat_that_is_late_leaves_the_note(service: Make, now: Now) -> None:
    ingest = service("ingest", age_s=4.0, filling=Filling(340, 900))
    assert [one.severity for one in notices(connected(now, ingest), now)] == ["note"]


def test_what_a_silent_service_last_filled_is_no_news(service: Make, now: Now) -> None:
    ingest = service("ingest", healthy=False, age_s=9.0, filling=Filling(340, 900))
    assert [one.severity for one in notices(connected(now, ingest), now)] == ["error"]


def test_the_strip_shows_health_lag_and_rate(service: Make, now: Now) -> None:
    market = connected(now, service("sink", lag_messages=1234), service("ingest", healthy=False, age_s=9.0))
    market.watch([], [stats("ETHUSDT", tick_rate=6.5), stats("BTCUSDT", tick_rate=13.0)])
    sink, ingest, rate = map(_read, strip(market))
    assert sink == ("service is-ok", "running, lag 1\u202f234")
    assert ingest == ("service is-error", "silent, last heard 9 s ago")
    assert rate[1] == "19.5 ticks/s"


def test_health_is_unknown_without_a_stream(service: Make, now: Now) -> None:
    market = connected(now, service("sink", lag_messages=3))
    market.link(False, now)
    (sink,) = map(_read, strip(market))
    assert sink == ("service is-unknown", "unknown")


def _words(element: Any) -> str:
    parts = element.children if isinstance(element.children, list) else [element.children]
    return "".join(part if isinstance(part, str) else _words(part) for part in parts)


def _read(entry: Any) -> tuple[str, str]:
    return entry.className, entry.children[1]


def test_alerts_that_hold_are_a_line_until_they_are_dealt_with(
    market: LiveState, alert: Make, now: Now
) -> None:
    assert firing(market, "UTC", now) == []
    market.apply(update(alerts=(alert(1),)), now)
    shown: Any = firing(market, "UTC", now)
    count, entry = shown
    assert count.children == "1 alert is firing"
    link, text, _ = entry.children
    assert (link.children, link.href) == (PAIR, f"/pairs?pair={PAIR}")
    assert _words(text) == "z +0.75 at the last close, since 22:13:20 UTC"
    market.apply(update(alerts=(alert(1, acked_us=now.us, acked_by="desk"),)), now)
    assert firing(market, "UTC", now) == []


def test_a_firing_alert_of_another_rule_says_what_that_measured(
    market: LiveState, price_move: Make, now: Now
) -> None:
    market.apply(update(alerts=(price_move(),)), now)
    shown: Any = firing(market, "UTC", now)
    link, text, _ = shown[1].children
    assert (link.children, link.href) == ("BTCUSDT", "/?symbol=BTCUSDT")
    assert _words(text) == "btc-moves: price_move 0.052, since 22:13:20 UTC"
    service = price_move(2, START_S + 1, subject="sink", metric="lag_s", values={"lag_s": 12.5})
    market.apply(update(alerts=(service,)), now)
    shown = firing(market, "UTC", now)
    assert shown[0].children == "2 alerts are firing"
    assert (shown[1].children[0].children, hasattr(shown[1].children[0], "href")) == ("sink", False)


def test_a_firing_alert_says_whether_the_spread_was_seen_to_revert(
    market: LiveState, alert: Make, now: Now
) -> None:
    market.apply(update(alerts=(alert(1, reversion="broken"),)), now)
    shown: Any = firing(market, "UTC", now)
    said = shown[1].children[2]
    assert (said.children, said.title) == ("broken", "broken: the spread has left the line it reverted to")


def test_a_z_score_near_a_threshold_is_told_from_it(
    market: LiveState, alert: Make, signal: Make, now: Now
) -> None:
    near = signal(START_S + 1, zscore=1.9962)
    market.apply(update(signals=(near,), alerts=(alert(1),)), now)
    shown: Any = firing(market, "UTC", now)
    assert _words(shown[1].children[1]).startswith("z +1.996 at the last close")


def test_many_alerts_are_summed_up(market: LiveState, pair: WatchedPair, alert: Make, now: Now) -> None:
    names = [f"A{n}-B" for n in range(FIRING_SHOWN + 2)]
    market.watch([replace(pair, pair=name) for name in names], [])
    market.apply(update(alerts=tuple(alert(n, pair=name) for n, name in enumerate(names))), now)
    shown: Any = firing(market, "UTC", now)
    count, *entries, more = shown
    assert (count.children, len(entries)) == (f"{len(names)} alerts are firing", FIRING_SHOWN)
    assert (more.children, more.href) == ("and 2 more", "/alerts?state=firing")


def test_an_alert_of_a_pair_that_is_no_longer_measured_does_not_last(
    market: LiveState, pair: WatchedPair, alert: Make, now: Now
) -> None:
    market.apply(update(alerts=(alert(1),)), now)
    for watched in ([replace(pair, paused=True)], []):
        market.watch(watched, [])
        assert firing(market, "UTC", now) == []
    market.pairs = None
    assert len(firing(market, "UTC", now)) == 2


def test_the_z_score_of_a_lost_stream_is_the_last_known(market: LiveState, alert: Make, now: Now) -> None:
    market.apply(update(alerts=(alert(1),)), now)
    market.link(False, now, "gone")
    shown: Any = firing(market, "UTC", now)
    _, entry = shown
    assert "last known" in entry.children[1].children
    assert "late" in entry.className
