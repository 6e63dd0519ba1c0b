"""Marks on the z-score chart: entries and exits of the bands, alerts, outliers and corrections."""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Literal, NamedTuple

from services.common.clock import SECOND
from services.contracts.alert_messages import ZSCORE, AlertState
from services.contracts.messages import Signal
from services.contracts.threshold import Threshold
from services.ui.api.types import HandledAlert, WatchedPair
from services.ui.charts import lightweight, palette
from services.ui.charts.lightweight import Marker, Shape
from services.ui.widgets import formatting

KEPT = 200
# More words than that hide the line; the shapes stay, and the cursor names them.
WORDS_UP_TO = 8
REMEDY = "Theil-Sen is robust to it, and Huber if the outlier is in Y"

Side = Literal["short", "long"]
Kind = Literal[Side, "exit"] | AlertState
SHAPES: dict[Kind, tuple[Shape, str, str]] = {
    "short": ("arrowDown", palette.BEYOND, "short"),
    "long": ("arrowUp", palette.BEYOND, "long"),
    "exit": ("circle", palette.SPREAD, "exit"),
    "firing": ("square", palette.FIRING, "alert"),
    "resolved": ("square", palette.RESOLVED, "resolved"),
    "retracted": ("square", palette.RESOLVED, "retracted"),
    "pending": ("square", palette.RESOLVED, "pending"),
    "recovering": ("square", palette.RESOLVED, "recovering"),
    "no_data": ("square", palette.FIRING, "no data"),
    "error": ("square", palette.FIRING, "error"),
    "ended": ("square", palette.RESOLVED, "ended"),
}
ENDS: tuple[Kind, ...] = ("exit", "resolved", "ended")


class ChartMark(NamedTuple):
    """Something that happened at one z-score."""

    at_us: int
    kind: Kind
    zscore: float
    words: str


class Crossings:
    """Times at which the rule of the pair's alerts fires and resolves, by its thresholds of now; the newest."""

    def __init__(self, pair: WatchedPair, first_us: int = 0) -> None:
        """Begin at `first_us`; where the first z-score is already beyond a band, it did not enter there."""
        self.marks: deque[ChartMark] = deque(maxlen=KEPT)
        self._rule = Threshold(pair.entry_z, pair.exit_z, only_while_reverting=pair.only_while_reverting)
        self._is_begun = False
        self.last_us = first_us - 1

    def take(self, signals: Iterable[Signal]) -> None:
        """Follow the signals, oldest first; those that were taken before change nothing."""
        for signal in signals:
            if signal.event_us <= self.last_us or signal.zscore is None:
                continue
            self.last_us = signal.event_us
            if self._rule.observe(signal) and self._is_begun:
                self.marks.append(self._mark(signal.event_us, signal.zscore))
            self._is_begun = True

    def _mark(self, at_us: int, zscore: float) -> ChartMark:
        rule = self._rule
        reading = f"z {formatting.zscore(zscore, rule.entry, rule.exit)}"
        if not rule.firing:
            return ChartMark(at_us, "exit", zscore, f"Exit: {reading} within {rule.exit:g}")
        side: Side = "short" if zscore > 0 else "long"
        words = f"Entry, {side} the spread: {reading} beyond {rule.entry:g}"
        return ChartMark(at_us, side, zscore, words)


def of_alerts(alerts: Iterable[HandledAlert]) -> list[ChartMark]:
    """Return the marks of alerts; one that does not hold has one mark with what has retracted it."""
    known = {alert.alert_id: alert for alert in alerts}
    retracted = {alert.retracts for alert in known.values()}
    return [
        _mark(alert, is_retracted=alert.alert_id in retracted or alert.retracted_by is not None)
        for alert in known.values()
        if alert.retracts not in known
    ]


def _mark(alert: HandledAlert, *, is_retracted: bool) -> ChartMark:
    words = f"Alert {alert.state}{', retracted' if is_retracted else ''}: {alert.message}"
    # Only the sign counts, for the side of the line: one of another rule lies below it.
    zscore = alert.values.get(ZSCORE, 0.0)
    return ChartMark(alert.event_us, "retracted" if is_retracted else alert.state, zscore, words)


def markers(marks: Iterable[ChartMark], first_us: int, last_us: int) -> list[Marker]:
    """Return the markers of those marks that lie within these times, oldest first, the newest if they are too many.

    An alert of the second in which the z-score crosses a band has one marker with the crossing.
    """
    within = sorted(mark for mark in marks if first_us <= mark.at_us <= last_us)
    by_event: dict[tuple[int, bool], list[ChartMark]] = {}
    for mark in within:
        by_event.setdefault((mark.at_us // SECOND, mark.kind in ENDS), []).append(mark)
    shown = list(by_event.values())[-KEPT:]
    return [_marker(together, len(shown) <= WORDS_UP_TO) for together in shown]


class Runs(NamedTuple):
    """Seconds of a chart that are marked alike: how many, and a small mark for each run of them."""

    seconds: int = 0
    markers: tuple[Marker, ...] = ()


def corrected(signals: Iterable[Signal], apart_us: int = SECOND) -> Runs:
    """Find the corrected ones of `signals`, oldest first; points of one run are no more than `apart_us` apart.

    The newest marks if they are too many.
    """
    return _runs((one for one in signals if one.revision), apart_us, palette.SPREAD, _corrected_words)


def outliers(signals: Iterable[Signal], apart_us: int = SECOND) -> Runs:
    """Find the outliers of `signals` likewise."""
    return _runs((one for one in signals if one.outlier), apart_us, palette.DOWN, _outlier_words)


def _runs(signals: Iterable[Signal], apart_us: int, color: str, words: Callable[[list[Signal]], str]) -> Runs:
    runs: list[list[Signal]] = []
    for signal in signals:
        if not runs or signal.event_us - runs[-1][-1].event_us > apart_us:
            runs.append([])
        runs[-1].append(signal)
    dots = (lightweight.dot(run[0].event_us // SECOND, color, words(run)) for run in runs[-KEPT:])
    return Runs(sum(map(len, runs)), tuple(dots))


def correction_words(signal: Signal) -> str:
    """Return why a second was corrected, empty if it was not."""
    if not signal.revision:
        return ""
    return (
        f"Corrected: {trades_late(signal.late)}" if signal.late else "Corrected: a trade before it came late"
    )


def trades_late(count: int) -> str:
    """Return how many trades came late, in words.

    >>> trades_late(1), trades_late(1200)
    ('1 trade came late', '1\u202f200 trades came late')
    """
    return f"{formatting.number(count, 0)} {'trade' if count == 1 else 'trades'} came late"


def _corrected_words(run: list[Signal]) -> str:
    if len(run) == 1:
        return correction_words(run[0])
    late = sum(signal.late for signal in run)
    why = trades_late(late) if late else "a trade before them came late"
    return f"{len(run)} seconds corrected: {why}"


def _outlier_words(run: list[Signal]) -> str:
    count = "Outlier" if len(run) == 1 else f"{len(run)} outliers"
    return f"{count}: a single second moves the fitted line. {REMEDY}"


def _marker(marks: list[ChartMark], in_words: bool) -> Marker:
    shapes = [SHAPES.get(mark.kind, ("square", palette.RESOLVED, mark.kind)) for mark in marks]
    # A crossing gives the shape, an alert the colour and the word.
    shape = next((shape for shape, _, _ in shapes if shape != "square"), shapes[0][0])
    color, word = next(((color, word) for shape, color, word in shapes if shape == "square"), shapes[0][1:])
    return lightweight.marker(
        marks[0].at_us // SECOND,
        shape,
        color,
        ". ".join(mark.words for mark in marks),
        above=marks[0].zscore > 0,
        text=word if in_words else "",
    )
