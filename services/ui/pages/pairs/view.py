"""View of the pairs page in one session."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from operator import itemgetter
from typing import Any

import msgspec

from services.common.clock import SECOND
from services.contracts.messages import Signal
from services.ui.api.poll_cache import PolledAnswer
from services.ui.api.types import Analysis, HandledAlert, WatchedPair
from services.ui.charts import lightweight, updates
from services.ui.charts.lightweight import Series
from services.ui.charts.updates import ChartCursor
from services.ui.pages.pairs import comparison, fits, lines, marks, sidebar, spans, texts
from services.ui.pages.pairs.cards import cards
from services.ui.pages.pairs.comparison import Comparison
from services.ui.pages.pairs.layout import CHART
from services.ui.pages.pairs.lines import Band, Canvas, Extras, PaneName
from services.ui.pages.pairs.marks import Crossings, Runs
from services.ui.pages.pairs.spans import ChartSpan
from services.ui.series import gap_shading
from services.ui.series.buffer import SeriesBuffer, point_us
from services.ui.series.gap_shading import GapShading
from services.ui.state.live_state import LiveState, Now
from services.ui.state.page_context import PageContext, Props, Selection, View

ALERTS_EVERY_S = 30.0


class PairsView(View):
    """The chosen pair: numbers, legs, spread, z-score, hedge ratio and correlation."""

    cleared = ("pair-empty", "pair-state")

    def __init__(self, site: PageContext, mark: Any = None) -> None:
        super().__init__(site, mark)
        self._cursor = _cursor(mark)
        self._crossings: tuple[str, Crossings] | None = None
        self._holes = GapShading()
        self._marked: tuple[Any, Runs, Runs] = (None, Runs(), Runs())

    def step(self, selection: Selection, now: Now) -> Props:
        """Return what the page shows now."""
        market = self.site.market
        asked, chosen = _choice(market, selection)
        pair = (market.pairs or {}).get(asked or "")
        span = spans.named(selection.opened_with("range"))
        panes = lines.shown(selection.asks.get("panes"))
        fit = fits.fit(self.site, pair) if pair and not pair.paused else None
        other, others = comparison.choice(market, pair, selection)
        self.title = texts.title(market, pair)
        props = {
            **chosen,
            **others,
            **comparison.legend(market, other),
            **_labels(panes),
            **texts.labels(market, pair, span, fits.band_words(fit), selection.zone),
            **cards(market, pair, now),
            **sidebar.live(market, pair, selection),
        }
        if pair is None:
            nothing = updates.empty("pair-empty", texts.no_pair(market, asked))
            nowhere = {"pair-late": {"children": ""}, **texts.csv(None, None, "")}
            return {**props, **nothing, **updates.empty("pair-state", ""), **nowhere}
        track = spans.track(self.site, pair.pair, span)
        if "turn" not in selection.asks:
            return props  # the page is about to say which panes it has room for
        canvas = Canvas(pair, span, panes, market.decimals.get(pair.y, 2))
        chart = self._chart(canvas, track, fit, selection, other)
        late = texts.lateness(market.late.get(pair.pair, 0), self._marked[1].seconds)
        return {
            **props,
            **chart,
            "pair-late": {"children": late},
            **texts.csv(pair, self._cursor.first_us if self._cursor else None, selection.zone),
            **updates.empty("pair-empty", updates.why_empty(track, f"No signal of {pair.pair} yet")),
            **updates.empty(
                "pair-state", texts.state(market, pair, track.points[-1] if track.points else None, now)
            ),
        }

    def _chart(
        self,
        canvas: Canvas,
        track: SeriesBuffer[Signal],
        fit: PolledAnswer[Analysis] | None,
        selection: Selection,
        other: WatchedPair | None,
    ) -> Props:
        span, older = canvas.span, selection.asks.get("older")
        wanted = spans.wanted(span, track, older)
        track.ensure_length(wanted)
        beside = Comparison(self.site, canvas, other, wanted) if other else None

        def extras(first_us: int, last_us: int) -> Extras:
            return self._extras(canvas, track, fit, (first_us, last_us), selection.zone)

        def whole(signals: Sequence[Signal]) -> list[Series]:
            drawn = canvas.series(signals, extras(signals[0].event_us, signals[-1].event_us))
            return drawn + (beside.series(signals) if beside else [])

        pair = canvas.pair
        step = updates.step(
            CHART,
            track,
            self._cursor,
            f"{pair.pair}|{span.name}|{selection.asks.get('turn')}",
            whole,
            canvas.updates,
            wanted,
            f"{','.join(canvas.panes)}|{pair.entry_z:g}|{pair.exit_z:g}|{beside.drawing if beside else ''}",
        )
        self._cursor, self.mark = step.cursor, msgspec.to_builtins(step.cursor)
        self.dropped = {CHART: step.dropped} if step.dropped else {}
        if beside and step.cursor and "tick" in step.props.get(CHART, {}):
            on_chart = track.since(step.cursor.first_us)
            step.props[CHART]["tick"] += beside.updates(on_chart)
        if "series" in step.props.get(CHART, {}):
            chart = step.props[CHART]
            chart["paneOptions"] = lightweight.pane_options(lines.SHARES[pane] for pane in canvas.panes)
            if step.cursor and (action := chart.pop("timeScaleAction", None)):
                newest = lightweight.newest_points(step.cursor.count, span.shown, action["nonce"])
                chart["visibleLogicalRange"] = newest
        at_left = {"children": spans.older(track, span, wanted) if track.points else ""}
        drawn = extras(step.cursor.first_us, step.cursor.last_us) if step.cursor and track.points else {}
        return {**step.props, "pair-extras": {"data": drawn}, "pair-older": at_left}

    def _extras(
        self,
        canvas: Canvas,
        track: SeriesBuffer[Signal],
        fit: PolledAnswer[Analysis] | None,
        ends: tuple[int, int],
        zone: str,
    ) -> Extras:
        pair, first_us = canvas.pair, ends[0]
        known = f"{track.generation}|{track.revision}|{track.corrected.count}|{first_us}"
        key = (
            f"{pair.pair}|{canvas.span.name}|{pair.entry_z}|{pair.exit_z}|{pair.only_while_reverting}|{known}"
        )
        if self._crossings is None or self._crossings[0] != key:
            self._crossings = (key, Crossings(pair, first_us))
        crossings = self._crossings[1]
        crossings.take(track.since(crossings.last_us + 1))
        marked = [*crossings.marks, *marks.of_alerts(self._alerts(pair.pair))]
        corrected, outliers = self._find_marked(canvas.span, track, *ends)
        found = [*marks.markers(marked, *ends), *corrected.markers, *outliers.markers]
        drawn = sorted(found, key=itemgetter("time"))
        quiet = spans.quiet(canvas.span, pair.stale_after_s)
        gaps = gap_shading.open_gaps(self.site, (pair.y, pair.x))
        shade = self._holes.shade(track, *ends, gaps, quiet, zone)
        return canvas.extras(drawn, _band(fit, track.points, *ends), shade)

    def _find_marked(
        self, span: ChartSpan, track: SeriesBuffer[Signal], first_us: int, last_us: int
    ) -> tuple[Runs, Runs]:
        """Return the corrected seconds and the outliers on the chart."""
        known = (track, track.generation, track.revision, track.corrected.count, first_us, last_us)
        if self._marked[0] != known:
            begin = bisect_left(track.points, first_us, key=point_us)
            end = bisect_right(track.points, last_us, key=point_us)
            apart_us = max(1, span.apart_s) * SECOND
            shown = track.points[begin:end]
            self._marked = (known, marks.corrected(shown, apart_us), marks.outliers(shown, apart_us))
        return self._marked[1:]

    def _alerts(self, pair: str) -> list[HandledAlert]:
        site = self.site
        older = site.readings.get(
            ("alerts", pair), lambda: site.client.alerts(marks.KEPT, pair), ALERTS_EVERY_S
        )
        known = [*(older.value or ()), *(alert for alert in site.market.alerts if alert.pair == pair)]
        return list({alert.alert_id: alert for alert in known}.values())


def _band(
    fit: PolledAnswer[Analysis] | None, points: Sequence[Signal], first_us: int, last_us: int
) -> Band | None:
    """Return the interval over those of `points`, from `first_us` to `last_us`, that it is of."""
    found = fit.value if fit else None
    if found is None or found.regression is None or found.first_us is None or found.last_us is None:
        return None
    low, high = found.regression.low, found.regression.high
    begin = bisect_left(points, max(first_us, found.first_us), key=point_us)
    end = bisect_right(points, min(last_us, found.last_us), key=point_us)
    if low is None or high is None or begin >= end:
        return None
    return Band(low, high, points[begin].event_us // SECOND, points[end - 1].event_us // SECOND)


def _cursor(mark: Any) -> ChartCursor | None:
    try:
        return msgspec.convert(mark, ChartCursor | None)
    except msgspec.ValidationError:
        return None  # a page older than this process


def _choice(market: LiveState, selection: Selection) -> tuple[str | None, Props]:
    """Return which pair is shown, and those there are: the first once the page has read its address and names none."""
    asked = selection.opened_with("pair")
    if market.pairs is None:
        return asked, {}
    names = list(market.pairs)
    # The select forgets a value it has no option for; the cover of the chart says what is wrong with this one.
    unknown = [asked] if asked and asked not in market.pairs else []
    if asked is None and names and selection.is_read:
        return names[0], {"pair-select": {"data": names, "value": names[0]}}
    return asked, {"pair-select": {"data": names + unknown}}


def _labels(panes: tuple[PaneName, ...]) -> Props:
    tops = lines.tops(panes)
    return {
        f"pane-{pane}": {
            "className": "pane-label" if pane in tops else "pane-label is-away",
            "style": {"--top": str(tops.get(pane, 0.0))},
        }
        for pane in lines.PANES
    }
