"""Overview page in one session: what is sent once, what each second, and what is said while there is nothing."""

from dataclasses import replace
from typing import Any, cast

from services.ui.api.poll_cache import PollCache, PolledAnswer
from services.ui.api.types import ZscoreLine
from services.ui.pages.overview.columns import TABLE
from services.ui.pages.overview.view import NO_PAIRS, OverviewView
from services.ui.state.live_state import LiveState, Now
from services.ui.state.page_context import PageContext, Selection
from tests.unit.ui.answers import update
from tests.unit.ui.conftest import PAIR, START_S, Make

CHANGED = f"{TABLE}-changed"


class Lines:
    """The lines of z-scores as they were read."""

    def __init__(self) -> None:
        self.reading: PolledAnswer[Any] = PolledAnswer()

    def get(self, key: Any, ask: Any, every_s: float) -> PolledAnswer[Any]:
        assert (key, every_s) == ("/v1/zscores", 30.0)
        return self.reading


def opened(site: PageContext, lines: Lines) -> OverviewView:
    return OverviewView(replace(site, readings=cast("PollCache", lines)))


def selected() -> Selection:
    return Selection("tab", "overview", 1, asks={"address": {}})


def later(now: Now, seconds: int) -> Now:
    return Now(now.us + seconds * 1_000_000, now.s + seconds)


def test_rows_come_once_and_then_only_what_changed_once_a_second(
    site: PageContext, signal: Make, now: Now
) -> None:
    view = opened(site, Lines())
    first = view.step(selected(), now)
    assert [row["id"] for row in first[TABLE]["rowData"]] == [PAIR]
    assert first["overview-empty"]["children"] == ""
    site.market.apply(update(signals=(signal(START_S + 1, zscore=1.5),)), now)
    assert not {TABLE, CHANGED} & view.step(selected(), now).keys()
    next_second = view.step(selected(), later(now, 1))
    assert TABLE not in next_second
    assert [row["z"] for row in next_second[CHANGED]["rows"]] == [1.5]
    assert CHANGED not in view.step(selected(), later(now, 2))


def test_a_line_comes_when_it_is_read_and_what_is_wrong_is_said(site: PageContext, now: Now) -> None:
    lines = Lines()
    view = opened(site, lines)
    assert view.step(selected(), now)[TABLE]["rowData"][0]["line"] == []
    lines.reading.value = (ZscoreLine(pair=PAIR, end_us=now.us, step_s=30.0, zscores=(0.0, 2.5)),)
    (row,) = view.step(selected(), later(now, 1))[CHANGED]["rows"]
    assert row["line"] == [0, 50]
    lines.reading.error = "no answer"
    said = view.step(selected(), later(now, 2))["overview-lines"]["children"]
    assert said == "The lines of z are old: no answer"


def test_the_title_says_how_many_pairs_alert(site: PageContext, alert: Make, now: Now) -> None:
    view = opened(site, Lines())
    view.step(selected(), now)
    assert view.title is None
    site.market.apply(update(alerts=(alert(1),)), now)
    view.step(selected(), now)
    assert view.title == "1 alerting"


def test_a_table_without_pairs_says_why(site: PageContext, now: Now) -> None:
    empty = replace(site, market=LiveState(error="no answer from the API"))
    view = opened(empty, Lines())
    assert (
        view.step(selected(), now)["overview-empty"]["children"]
        == "Waiting for the API. no answer from the API"
    )
    empty.market.watch([], [])
    assert view.step(selected(), now)["overview-empty"]["children"] == NO_PAIRS
