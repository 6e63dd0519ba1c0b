"""Lines of a second pair: at the seconds of the first, with the numbers of the second."""

from typing import Any

import msgspec
import pytest

from services.common.clock import SECOND
from services.ui.api.types import WatchedPair
from services.ui.pages.pairs import spans
from services.ui.pages.pairs.comparison import Comparison
from services.ui.pages.pairs.lines import PANES, Canvas
from tests.unit.ui.conftest import PAIR, START_S, Make, track_of

OTHER = "SOLUSDT-ETHUSDT"


class Site:
    """Site with one series of signals, those of the second pair."""

    def __init__(self, signals: list[Any]) -> None:
        self.track = track_of(signals)


@pytest.fixture
def other(pair: WatchedPair) -> WatchedPair:
    return msgspec.structs.replace(pair, pair=OTHER)


def compared(
    monkeypatch: pytest.MonkeyPatch, pair: WatchedPair, other: WatchedPair, signals: list[Any]
) -> Comparison:
    site: Any = Site(signals)
    monkeypatch.setattr(spans, "track", lambda site, *_: site.track)
    return Comparison(site, Canvas(pair, spans.DEFAULT, PANES, 2), other, 10)


def test_the_lines_have_the_seconds_of_the_first_and_the_numbers_of_the_second(
    monkeypatch: pytest.MonkeyPatch, pair: WatchedPair, other: WatchedPair, signal: Make
) -> None:
    seconds = [(START_S + n) * SECOND for n in range(4)]
    first = [signal(event_us=us) for us in seconds]
    # One second is missing, and one comes before the chart begins.
    theirs = [signal(event_us=us, zscore=us / 1e18) for us in (seconds[0] - SECOND, seconds[0], *seconds[2:])]
    drawn = compared(monkeypatch, pair, other, theirs).series(first)
    assert [one["id"] for one in drawn] == [f"vs-{name}|{PAIR}|30m" for name in ("zscore", "spread")]
    assert [point["time"] for point in drawn[0]["data"]] == [us // SECOND for us in seconds]
    values = [point.get("value") for point in drawn[0]["data"]]
    assert values == [seconds[0] / 1e18, None, seconds[2] / 1e18, seconds[3] / 1e18]


def test_the_newest_second_is_new_and_those_before_it_are_drawn_again(
    monkeypatch: pytest.MonkeyPatch, pair: WatchedPair, other: WatchedPair, signal: Make
) -> None:
    signals = [signal(event_us=(START_S + n) * SECOND) for n in range(9)]
    beside = compared(monkeypatch, pair, other, signals)
    beside._track.corrected.add((START_S + 1) * SECOND)
    updates = [one for one in beside.updates(signals) if one["id"].startswith("vs-zscore")]
    times = [one["bar"]["time"] - START_S for one in updates]
    assert times == [0, 1, 3, 4, 5, 6, 7, 8]
    assert [one["bar"]["time"] - START_S for one in updates if "historicalUpdate" not in one] == [8]
