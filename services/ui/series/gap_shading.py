"""Gap shading: marks missing trades and silent stretches, which adjacent points would hide."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from services.common.clock import SECOND
from services.ui.api.poll_cache import PolledAnswer
from services.ui.api.types import Gap, Listing
from services.ui.charts import lightweight
from services.ui.charts.lightweight import Marker
from services.ui.series.buffer import SeriesBuffer, point_us
from services.ui.state.page_context import PageContext
from services.ui.widgets.formatting import number, period

PATH = "/v1/gaps"
LIMIT = 1000
EVERY_S = 3.0
# More words than that hide the chart; the shades stay, and the cursor names them.
WORDS_UP_TO = 6
MARKED = 100
NAMED = 3

Points = list[dict[str, Any]]


class Shade(NamedTuple):
    """Points of a ``charts.shade``: with words, the same without words, and marks."""

    points: Points
    silent: Points
    markers: list[Marker]


NO_SHADE = Shade([], [], [])


class MissingTrades(NamedTuple):
    """A time of which something is missing: ``label`` on the chart, ``what`` for the cursor."""

    start_us: int
    end_us: int
    label: str
    what: str


class SilentStretch(NamedTuple):
    """Rule for silent stretches: the width of a point, the largest distance of two, the text for a larger one."""

    width_us: int
    longest_us: int
    what: str


def reading(site: PageContext, filters: dict[str, str]) -> PolledAnswer[Listing[Gap]]:
    """Return the newest gaps of the tape, read again every few seconds."""
    key = (PATH, *sorted(filters.items()))
    return site.readings.get(
        key, lambda: site.client.read(PATH, Listing[Gap], limit=LIMIT, **filters), EVERY_S
    )


def open_gaps(site: PageContext, symbols: Iterable[str]) -> tuple[Listing[Gap], ...]:
    """Return the gaps whose trades are missing still; nothing is asked of symbols that have none."""
    holed = [tape.symbol for tape in site.market.tapes if tape.open_gaps and tape.symbol in symbols]
    found = [reading(site, {"state": "open", "symbol": symbol}).value for symbol in holed]
    return tuple(one for one in found if one is not None)


class GapShading:
    """Gap shading of one chart: its own silent stretches, followed as it grows, and the gaps of the tape."""

    def __init__(self) -> None:
        self._subject: Any = None
        self._silences: list[MissingTrades] = []
        self._followed_us = 0
        self._key: Any = None
        self._shade = NO_SHADE

    def shade(
        self,
        track: SeriesBuffer[Any],
        first_us: int,
        last_us: int,
        gaps: tuple[Listing[Gap], ...],
        quiet: SilentStretch,
        zone: str,
    ) -> Shade:
        """Return what to shade of the points from `first_us` to `last_us`, the same object if nothing has changed."""
        subject = (track, track.generation, track.revision, first_us, quiet)
        if subject != self._subject:
            self._subject, self._silences, self._followed_us = subject, [], first_us
        fresh = [point for point in track.since(self._followed_us) if point_us(point) <= last_us]
        self._silences += _silences(fresh, quiet)
        self._followed_us = last_us
        newest_us = max((gap.end_us for found in gaps for gap in found.data[:1]), default=0)
        seen_us = min(self._followed_us, newest_us + quiet.width_us)
        key = (subject, gaps, len(self._silences), zone, seen_us)
        if key != self._key:
            holes = [*(_hole(gap) for found in gaps for gap in found.data), *self._silences]
            self._key = key
            shown = track.points[: bisect_right(track.points, last_us, key=point_us)]
            self._shade = _shade(holes, shown, first_us, quiet.width_us, zone)
        return self._shade


def _silences(points: Sequence[Any], quiet: SilentStretch) -> Iterable[MissingTrades]:
    for earlier, later in pairwise(map(point_us, points)):
        if later - earlier > quiet.longest_us:
            yield MissingTrades(earlier + quiet.width_us, later, quiet.what, quiet.what)


def _hole(gap: Gap) -> MissingTrades:
    trades = "trade" if gap.missing == 1 else "trades"
    asked = ", being fetched" if gap.state == "found" else ""
    count = number(gap.missing, 0)
    what = f"{count} {trades} of {gap.symbol} missing{asked}"
    return MissingTrades(gap.start_us, gap.end_us, f"{count} missing", what)


def _shade(
    holes: list[MissingTrades], points: Sequence[Any], first_us: int, width_us: int, zone: str
) -> Shade:
    """Shade the points that lie in a gap, or the first after one that has none."""
    begin_of_chart = bisect_left(points, first_us, key=point_us)
    at: dict[int, list[MissingTrades]] = {}
    marked: dict[int, list[MissingTrades]] = {}
    for hole in sorted(hole for hole in holes if hole.end_us >= first_us):
        begin = bisect_right(points, hole.start_us - width_us, begin_of_chart, key=point_us)
        end = bisect_right(points, hole.end_us, begin_of_chart, key=point_us)
        for point in points[begin : max(end, begin + 1)]:
            at.setdefault(point_us(point) // SECOND, []).append(hole)
        if begin < len(points):
            marked.setdefault(point_us(points[begin]) // SECOND, []).append(hole)
    in_words = len(marked) <= WORDS_UP_TO
    silent = [lightweight.shaded(second) for second in sorted(at)]
    return Shade(
        [lightweight.shaded(second, _words(at[second], zone)) for second in sorted(at)],
        silent,
        [
            lightweight.shade_marker(second, _label(marked[second]) if in_words else "", is_low=bool(n % 2))
            for n, second in enumerate(sorted(marked)[-MARKED:])
        ],
    )


def _label(holes: list[MissingTrades]) -> str:
    return holes[0].label if len(holes) == 1 else f"{len(holes)} gaps"


def _words(holes: list[MissingTrades], zone: str) -> str:
    said = [f"{hole.what} {period(hole.start_us, hole.end_us, zone)}" for hole in holes[:NAMED]]
    more = len(holes) - NAMED
    return "; ".join([*said, f"and {more} more"] if more > 0 else said)
