"""Marks on the z-score chart."""

from itertools import pairwise
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.common.clock import SECOND
from services.stream_analytics.threshold_rule import ThresholdRule
from services.ui.api.types import WatchedPair
from services.ui.charts import palette
from services.ui.pages.pairs import marks
from services.ui.pages.pairs.marks import ChartMark, Crossings
from tests.unit.ui.conftest import START_S, Make


def kinds(pair: WatchedPair, signal: Make, zscores: list[float | None]) -> list[tuple[int, str]]:
    crossings = Crossings(pair)
    crossings.take(signal(START_S + n, zscore=zscore) for n, zscore in enumerate(zscores))
    return [(mark.at_us // SECOND - START_S, mark.kind) for mark in crossings.marks]


def test_an_entry_is_left_by_an_exit_only(pair: WatchedPair, signal: Make) -> None:
    zscores: list[float | None] = [0.1, 2.0, 1.2, 2.5, None, 0.5, 0.2, -1.9, -2.1, 0.0]
    assert kinds(pair, signal, zscores) == [(1, "short"), (5, "exit"), (8, "long"), (9, "exit")]


def test_from_one_side_to_the_other_is_no_entry_as_no_alert_fires(pair: WatchedPair, signal: Make) -> None:
    assert kinds(pair, signal, [0.0, 2.4, -2.4, 0.1, -2.4]) == [(1, "short"), (3, "exit"), (4, "long")]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.none() | st.floats(-4, 4),
            st.sampled_from(["ok", "ok", "stale", "not_enough_data"]),
            st.sampled_from([None, "reverting", "unproven", "broken"]),
        ),
        max_size=60,
    ),
    st.booleans(),
)
def test_what_is_marked_is_what_the_rule_of_the_alerts_says(
    pair: WatchedPair, signal: Make, seen: list[Any], gated: bool
) -> None:
    signals = [signal(START_S, zscore=0.0)]
    signals += [
        signal(START_S + 1 + n, zscore=zscore, quality=quality, reversion=reversion)
        for n, (zscore, quality, reversion) in enumerate(seen)
    ]
    rule = ThresholdRule(pair.entry_z, pair.exit_z, only_while_reverting=gated)
    said = [(one.event_us, one.value, one.state) for each in signals if (one := rule.judge(each))]
    crossings = Crossings(msgspec.structs.replace(pair, only_while_reverting=gated))
    crossings.take(signals)
    states = {"short": "firing", "long": "firing", "exit": "resolved"}
    assert [(mark.at_us, mark.zscore, states[mark.kind]) for mark in crossings.marks] == said


def test_what_was_beyond_before_the_chart_begins_did_not_enter_there(pair: WatchedPair, signal: Make) -> None:
    assert kinds(pair, signal, [2.4, 2.6, 0.1]) == [(2, "exit")]


def test_a_mark_says_what_it_stands_for(pair: WatchedPair, signal: Make, alert: Make) -> None:
    crossings = Crossings(pair)
    crossings.take([signal(START_S, zscore=0.0), signal(START_S + 1, zscore=-2.345)])
    known = [*crossings.marks, *marks.of_alerts([alert(1, START_S + 2)])]
    entry, fired = marks.markers(known, START_S * SECOND, (START_S + 2) * SECOND)
    assert entry["id"] == "Entry, long the spread: z −2.35 beyond 2"
    assert (entry["shape"], entry["position"], entry["text"]) == ("arrowUp", "belowBar", "long")
    assert fired["id"] == "Alert firing: beyond entry"
    assert (fired["shape"], fired["position"], fired["text"]) == ("square", "aboveBar", "alert")


def test_a_mark_names_the_threshold_as_it_was_set(pair: WatchedPair, signal: Make) -> None:
    crossings = Crossings(msgspec.structs.replace(pair, entry_z=2.125))
    crossings.take([signal(START_S, zscore=0.0), signal(START_S + 1, zscore=2.5)])
    assert crossings.marks[0].words == "Entry, short the spread: z +2.50 beyond 2.125"


def test_a_mark_tells_the_z_score_from_its_threshold(pair: WatchedPair, signal: Make) -> None:
    crossings = Crossings(pair)
    crossings.take(signal(START_S + n, zscore=zscore) for n, zscore in enumerate((0.0, 2.0004, 0.4996)))
    assert [mark.words for mark in crossings.marks] == [
        "Entry, short the spread: z +2.0004 beyond 2",
        "Exit: z +0.4996 within 0.5",
    ]


def test_only_what_is_on_the_chart_is_marked(alert: Make) -> None:
    alerts = marks.of_alerts([alert(n, START_S + n) for n in range(5)])
    shown = marks.markers(reversed(alerts), (START_S + 1) * SECOND, (START_S + 3) * SECOND)
    assert [marker["time"] - START_S for marker in shown] == [1, 2, 3]


def test_many_marks_lose_their_words_and_the_oldest_go(alert: Make) -> None:
    count = marks.KEPT + 5
    shown = marks.markers(marks.of_alerts(alert(n, START_S + n) for n in range(count)), 0, 2**62)
    assert len(shown) == marks.KEPT
    assert shown[-1]["time"] == START_S + count - 1
    assert {marker["text"] for marker in shown} == {""}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.floats(-4, 4), max_size=40), st.integers(0, 40))
def test_bit_by_bit_is_as_all_at_once(
    pair: WatchedPair, signal: Make, zscores: list[float], cut: int
) -> None:
    signals = [signal(START_S + n, zscore=zscore) for n, zscore in enumerate(zscores)]
    at_once, bit_by_bit = Crossings(pair), Crossings(pair)
    at_once.take(signals)
    bit_by_bit.take(signals[:cut])
    bit_by_bit.take(signals)
    assert at_once.marks == bit_by_bit.marks
    sides = [mark.kind for mark in at_once.marks]
    assert not any(one == other for one, other in pairwise(sides)), sides


def test_a_retracted_alert_has_one_quiet_mark_with_what_retracts_it(alert: Make) -> None:
    fired, kept = alert(1, START_S, value=2.31), alert(2, START_S + 1)
    retraction = alert(3, START_S, state="retracted", retracts="alert-1")
    told_again = msgspec.structs.replace(fired, retracted_by="alert-3")
    for known in ([fired, retraction, kept], [retraction, told_again, kept], [told_again, kept]):
        quiet, firing = marks.markers(marks.of_alerts(known), 0, 2**62)
        assert quiet["id"] == "Alert firing, retracted: beyond entry"
        assert (quiet["shape"], quiet["color"], quiet["text"]) == ("square", palette.RESOLVED, "retracted")
        assert firing["text"] == "alert"
    (alone,) = marks.markers(marks.of_alerts([retraction]), 0, 2**62)
    assert alone["text"] == "retracted"


def test_an_alert_of_another_rule_on_the_pair_is_marked_too(alert: Make) -> None:
    moved = alert(
        1, rule="spread-moves", metric="spread_move", value=None, threshold=None, values={"spread_move": 3.0}
    )
    (shown,) = marks.markers(marks.of_alerts([moved]), 0, 2**62)
    assert (shown["id"], shown["position"], shown["text"]) == (
        "Alert firing: beyond entry",
        "belowBar",
        "alert",
    )


def test_corrected_seconds_beside_each_other_have_one_small_mark(signal: Make) -> None:
    revised = {1: 0, 4: 1, 5: 0, 6: 2, 9: 3}
    signals = [signal(START_S + n, revision=int(n in revised), late=revised.get(n, 0)) for n in range(12)]
    found = marks.corrected(signals)
    assert found.seconds == len(revised)
    assert [(one["time"] - START_S, one["id"]) for one in found.markers] == [
        (1, "Corrected: a trade before it came late"),
        (4, "3 seconds corrected: 3 trades came late"),
        (9, "Corrected: 3 trades came late"),
    ]
    assert len(marks.corrected(signals, 3 * SECOND).markers) == 1
    assert marks.corrected([]) == marks.Runs()
    apart = [signal(START_S + 2 * n, revision=1) for n in range(marks.KEPT + 3)]
    many = marks.corrected(apart)
    assert (many.seconds, len(many.markers)) == (marks.KEPT + 3, marks.KEPT)


def test_outliers_have_a_mark_that_names_the_remedy(signal: Make) -> None:
    signals = [signal(START_S + n, outlier=n in (2, 3, 7)) for n in range(9)]
    found = marks.outliers(signals)
    assert found.seconds == 3
    assert [one["time"] - START_S for one in found.markers] == [2, 7]
    pair, alone = (one["id"] for one in found.markers)
    assert pair.startswith("2 outliers: a single second moves the fitted line.")
    assert alone.startswith("Outlier: a single second moves")
    assert alone.endswith(marks.REMEDY)
    assert {one["color"] for one in found.markers} == {palette.DOWN}
    assert marks.outliers(signals[:2]) == marks.Runs()


def test_marks_are_sorted_by_time() -> None:
    late, early = ChartMark(2 * SECOND, "exit", 0.0, "late"), ChartMark(SECOND, "exit", 0.0, "early")
    assert [marker["id"] for marker in marks.markers([late, early], 0, 3 * SECOND)] == ["early", "late"]


def test_an_alert_of_a_crossing_is_one_mark_with_it(alert: Make) -> None:
    crossing = ChartMark(START_S * SECOND, "short", 2.31, "Entry")
    fired = marks.of_alerts([alert(1, START_S), alert(2, START_S + 1), alert(3, START_S, state="resolved")])
    both, resolved, alone = marks.markers([crossing, *fired], 0, 2**62)
    assert both["id"] == "Alert firing: beyond entry. Entry"
    assert (both["shape"], both["color"], both["text"]) == ("arrowDown", palette.FIRING, "alert")
    assert (alone["shape"], alone["text"]) == ("square", "alert")
    assert (resolved["shape"], resolved["text"]) == ("square", "resolved")
