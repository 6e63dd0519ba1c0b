"""One list of metrics: a new one has a card, a pane, a chip and a number in the chart."""

from dataclasses import replace
from operator import attrgetter

import pytest

from services.contracts.messages import Signal
from services.ui.api.types import WatchedPair
from services.ui.charts.measures import Measure, fixed
from services.ui.pages.pairs import lines
from services.ui.pages.pairs.layout import LABELS, TITLES
from services.ui.pages.pairs.metrics import DRAWN, METRICS, Metric
from services.ui.state.live_state import LiveState
from tests.unit.ui.conftest import Make

PLAIN = Metric(
    "late", Measure("Late trades", fixed(0), is_signed=False), attrgetter("late"), 0.1, "Explained."
)


def test_a_metric_is_its_number_and_what_explains_it(pair: WatchedPair, signal: Make) -> None:
    found = PLAIN.said(LiveState(), pair, signal(late=7))
    assert (found.value, found.note, found.tone, found.explained) == ("7", "", "", "Explained.")
    unknown = replace(PLAIN, value=attrgetter("lead_lag_s"))
    assert unknown.said(LiveState(), pair, signal()).value is None


def test_every_metric_has_a_card_and_every_drawn_one_a_pane() -> None:
    assert list(LABELS) == ["y", "x", *(metric.name for metric in METRICS)]
    assert list(TITLES) == list(lines.PANES) == ["prices", *DRAWN]
    assert lines.SHARES.keys() == lines.LINES.keys() == TITLES.keys()
    assert sum(lines.SHARES.values()) == pytest.approx(1.0)


def test_a_metric_takes_a_field_of_the_signal(signal: Make) -> None:
    known: Signal = signal()
    assert all(metric.value is None or metric.value(known) is not None for metric in METRICS)
