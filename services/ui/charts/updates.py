"""Chart updates: the whole series once, then only what changed since the session's last update."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence, Set
from itertools import groupby
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from services.common.clock import SECOND
from services.contracts.messages import Signal
from services.ui.api.types import Bar
from services.ui.charts import lightweight
from services.ui.charts.lightweight import Series, Updates
from services.ui.series.buffer import SeriesBuffer, point_us
from services.ui.state.page_context import Props

# A page left open all day must not grow without end: past what is wanted and this share of what its track usually
# holds, a chart starts again.
GROWTH = 0.15
# More corrections at once are drawn with the whole series.
CORRECTED_MOST = 100

P = TypeVar("P", Bar, Signal)


class ChartCursor(Struct, frozen=True):
    """Extent of the chart in a session: ``count`` points from ``first_us`` to ``last_us``.

    ``corrected`` is how many corrections of its track are on it.
    """

    key: str
    drawing: str
    generation: int
    revision: int
    first_us: int
    last_us: int
    count: int
    corrected: int = 0


class ChartUpdate(Struct, frozen=True):
    """Update to send to a chart, and the cursor after it.

    ``dropped`` points left at its left end; less than zero if older points came there.
    """

    props: Props
    cursor: ChartCursor | None
    dropped: int = 0


def step(
    chart_id: str,
    track: SeriesBuffer[P],
    cursor: ChartCursor | None,
    key: str,
    whole: Callable[[Sequence[P]], list[Series]],
    updates: Callable[[Sequence[P]], Updates],
    wanted: int | None = None,
    drawing: str = "",
) -> ChartUpdate:
    """Return the next step of the chart `chart_id`, which has been brought to `cursor`.

    `key` names what the chart shows and `drawing` how; `whole` makes all its series of points, `updates` brings points
    into them. `wanted` is how many points the chart should have, as far as the track has them; without it what the
    track has.
    """
    points = track.points
    if not points:
        return ChartUpdate({}, cursor if cursor and cursor.key == key else None)
    wanted = wanted or track.usual
    last_us = point_us(points[-1])

    def stands(shown: Sequence[P]) -> ChartCursor:
        first_us, shown_us = point_us(shown[0]), point_us(shown[-1])
        known = track.generation, track.revision
        return ChartCursor(key, drawing, *known, first_us, shown_us, len(shown), track.corrected.count)

    continues = cursor is not None and (cursor.key, cursor.generation) == (key, track.generation)
    if cursor is None or not continues or not point_us(points[0]) <= cursor.last_us <= last_us:
        shown = points[-wanted:]
        action = {**lightweight.newest_in_view(len(shown)), "nonce": f"{key}|{track.generation}|{last_us}"}
        return ChartUpdate({chart_id: {"series": whole(shown), "timeScaleAction": action}}, stands(shown))
    fresh = track.since(cursor.last_us)
    count = cursor.count + len(fresh) - 1
    corrected = track.corrected.after(cursor.corrected)
    is_as_drawn = (cursor.drawing, cursor.revision) == (drawing, track.revision) and (
        corrected is not None and len(corrected) <= CORRECTED_MOST
    )
    lacks_older = count < wanted and point_us(points[0]) < cursor.first_us
    if not is_as_drawn or lacks_older or cursor.count > wanted + GROWTH * track.usual:
        # Without what is new, which comes with the next step: a chart that follows the newest points moves by itself
        # then, and one that does not stays where it is.
        shown = points[: bisect_right(points, cursor.last_us, key=point_us)][-wanted:]
        return ChartUpdate(
            {chart_id: {"series": whole(shown)}}, stands(shown), dropped=cursor.count - len(shown)
        )
    again: Updates = _again(track, cursor, set(corrected or ()), updates)
    after = msgspec.structs.replace(cursor, last_us=last_us, count=count, corrected=track.corrected.count)
    return ChartUpdate({chart_id: {"tick": again + updates(fresh)}}, after)


def _again(
    track: SeriesBuffer[P],
    cursor: ChartCursor,
    corrected: Set[int],
    updates: Callable[[Sequence[P]], Updates],
) -> Updates:
    """Return the updates of points before the last one drawn that were corrected.

    And of those before them: a point may be drawn otherwise because of the one that follows.
    """
    points, places = track.points, set[int]()
    for us in corrected:
        place = bisect_left(points, us, key=point_us)
        if not cursor.first_us <= us <= cursor.last_us or point_us(points[place]) != us:
            continue
        # The last one drawn is among what follows.
        places |= {place} if us < cursor.last_us else set()
        places |= {place - 1} if place and us > cursor.first_us else set()
    again: Updates = []
    for _, run in groupby(enumerate(sorted(places)), lambda one: one[1] - one[0]):
        found = [place for _, place in run]
        stretch = points[found[0] : found[-1] + 2]
        following = point_us(stretch[-1]) // SECOND
        again += [one for one in updates(stretch) if one["bar"]["time"] < following]
    return [{**update, "historicalUpdate": True} for update in again]


def why_empty(track: SeriesBuffer[Any], otherwise: str) -> str:
    """Return why a chart of the series `track` shows nothing, empty if it shows something."""
    if track.points:
        return ""
    if track.refusal is not None:
        return f"The API does not have this: {track.refusal}"
    if track.error is not None:
        return f"No answer from the API. {track.error}"
    return otherwise if track.loaded else "Loading…"


def empty(element: str, text: str) -> Props:
    """Return the cover of a chart that says why there is nothing below it; no cover without a text."""
    return {element: {"children": text, "className": "pane-empty" + (" is-shown" if text else "")}}
