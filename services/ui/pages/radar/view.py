"""View of the radar page in one session."""

from typing import Any

from services.common.clock import SECOND
from services.contracts.pairs import Pair, is_pair
from services.ui.api import downloads
from services.ui.api.client import segment
from services.ui.api.queries import RefusedQuery, once, why_nothing
from services.ui.api.types import Confirmation, Listing, Radar, ScanMatrix, ScanPair, ScanPairs, ScanSummary
from services.ui.charts import updates
from services.ui.pages.radar import rows
from services.ui.pages.radar.figures import MATRICES, heatmap
from services.ui.pages.radar.layout import FUNNEL
from services.ui.pages.radar.rows import SHOWN, PairFilter
from services.ui.state.live_state import Now
from services.ui.state.page_context import PageContext, Props, Selection, View
from services.ui.widgets.formatting import NONE, age, moment, number

LIST = "/v1/radars"
LIST_EVERY_S = 3.0
CONFIRMED_EVERY_S = 10.0
CSV_ROWS = 1_000_000


class RadarView(View):
    """A radar: its funnel, its pairs, a matrix, and the chosen pair over the same history."""

    cleared = ("radar-empty", "radar-matrix-empty")

    def __init__(self, site: PageContext, mark: Any = None) -> None:
        super().__init__(site, mark)
        drawn = mark if isinstance(mark, list) and len(mark) == 3 else [None, None, None]
        self._table, self._matrix, self._subject = (str(one) if one else None for one in drawn)

    def step(self, selection: Selection, now: Now) -> Props:
        """Return what the page shows now."""
        reading = self.site.readings.get(LIST, self._radars, LIST_EVERY_S)
        if reading.value is None:
            return updates.empty("radar-empty", why_nothing(reading))
        known = {radar.radar_id: radar for radar in reading.value}
        if not known:
            return updates.empty("radar-empty", "There is no radar: PUT /v1/radars/{radar} makes one.")
        asked = selection.opened_with("radar")
        radar = known.get(asked or "") or next(iter(known.values()))
        props: Props = {
            "radar-select": {"data": list(known), "value": radar.radar_id},
            "radar-status": {"children": _status(radar, selection.zone, now, reading.error)},
            **_funnel(radar.summary),
        }
        self.title = f"{radar.confirmed} confirmed" if radar.confirmed else None
        if radar.job_id is None or radar.summary is None:
            why = radar.reason or "The first scan has not been done yet."
            return props | updates.empty("radar-empty", why) | updates.empty("radar-matrix-empty", why)
        props |= self._pairs(radar, selection, now)
        props |= self._drawn_matrix(radar, selection, now)
        self.mark = [self._table, self._matrix, self._subject]
        return props

    async def _radars(self) -> tuple[Radar, ...]:
        return (await self.site.client.read(LIST, Listing[Radar])).data

    def _pairs(self, radar: Radar, selection: Selection, now: Now) -> Props:
        wanted = PairFilter.read(selection)
        path = f"/v1/scans/{segment(str(radar.job_id))}"
        stage = {"stage": wanted.stage}
        props: Props = {"radar-csv": {"href": downloads.link(path, **stage, limit=CSV_ROWS)}}
        reading = once(self.site, now, path, ScanPairs, **stage, limit=SHOWN)
        found = reading.value
        if not isinstance(found, ScanPairs):
            # It has been replaced meanwhile; what is shown is of the one before.
            shown = "" if self._table and isinstance(found, RefusedQuery) else why_nothing(reading)
            return props | updates.empty("radar-empty", shown)
        since = self._since(radar)
        key = f"{radar.job_id}|{wanted}|{len(since)}|{int(now.s) // 60}"
        if key != self._table:
            self._table = key
            chosen = [pair for pair in found.data if wanted.includes(pair)]
            props["radar-table"] = {"rowData": rows.rows(chosen, since, now.us)}
            nothing = "" if chosen else _nothing(wanted)
            props |= updates.empty("radar-empty", nothing)
        return props | self._chosen(radar, found, selection)

    def _since(self, radar: Radar) -> dict[frozenset[str], int]:
        path = f"{LIST}/{segment(radar.radar_id)}/confirmations"

        async def ask() -> tuple[Confirmation, ...]:
            asked = {"ended": "false", "limit": 10_000}
            return (await self.site.client.read(path, Listing[Confirmation], **asked)).data

        reading = self.site.readings.get((path, radar.job_id), ask, CONFIRMED_EVERY_S)
        return rows.since(reading.value or ())

    def _chosen(self, radar: Radar, found: ScanPairs, selection: Selection) -> Props:
        pair, summary = selection.opened_with("pair"), radar.summary
        if pair is None or summary is None or not is_pair(pair):
            return {}
        legs = frozenset(Pair.parse(pair))
        known = next((one for one in found.data if {one.y, one.x} == legs), None)
        name = pair if known is None else str(Pair(known.y, known.x))
        props: Props = {
            "radar-chosen-title": {"children": name},
            "radar-facts": {"children": _facts(known, selection.zone)},
        }
        request = radar.request
        subject = {
            "pair": name,
            "interval": request.get("interval", "1m"),
            "transform": request.get("transform", "log"),
            "start": str(summary.first_us),
            "end": str(summary.last_us + round(summary.bar_s * SECOND)),
        }
        # A new scan does not ask again for who reads an analysis of the one before.
        key = f"{name}|{radar.radar_id}|{selection.opened}"
        if key != self._subject:
            self._subject = key
            props["radar-study-subject"] = {"data": subject}
        return props

    def _drawn_matrix(self, radar: Radar, selection: Selection, now: Now) -> Props:
        of = selection.one_of("of", tuple(MATRICES), "evidence")
        path = f"/v1/scans/{segment(str(radar.job_id))}/matrix"
        reading = once(self.site, now, path, ScanMatrix, of=of)
        if not isinstance(reading.value, ScanMatrix):
            shown = "" if self._matrix and isinstance(reading.value, RefusedQuery) else why_nothing(reading)
            return updates.empty("radar-matrix-empty", shown)
        key = f"{radar.job_id}|{of}|{selection.opened}"
        if key == self._matrix:
            return {}
        self._matrix = key
        return {"radar-matrix": {"figure": heatmap(reading.value)}, **updates.empty("radar-matrix-empty", "")}


def _status(radar: Radar, zone: str, now: Now, error: str | None) -> str:
    if error:
        return f"The radar cannot be read: {error}. What is shown is the last known."
    summary = radar.summary
    parts = []
    if radar.paused:
        parts.append("Paused.")
    if radar.state == "unfit":
        parts.append(f"Nothing could be scanned the last time: {radar.reason}. It goes on trying.")
    if summary is not None:
        ago = age(max(0.0, (now.us - summary.last_us) / SECOND - summary.bar_s))
        parts.append(
            f"{number(len(summary.symbols), 0)} symbols, {number(summary.bars + summary.held_out_bars, 0)} bars of "
            f"{summary.bar_s:g} s to {moment(summary.last_us, zone)} ({ago}), the last "
            f"{number(summary.held_out_bars, 0)} held out; tested in {number(summary.seconds, 1)} s, again every "
            f"{radar.every_s} s."
        )
        if summary.left_out:
            first = "; ".join(f"{symbol}: {why}" for symbol, why in list(summary.left_out.items())[:3])
            more = len(summary.left_out) - 3
            parts.append(f"Left out: {first}{f' and {more} more' if more > 0 else ''}.")
    return " ".join(parts) or "Waiting for the first scan."


def _funnel(summary: ScanSummary | None) -> Props:
    return {
        f"radar-{name}": {"children": NONE if summary is None else number(getattr(summary, name), 0)}
        for name in FUNNEL
    }


def _nothing(wanted: PairFilter) -> str:
    if wanted == PairFilter():
        return "No pair could be tested."
    return "No pair of the last scan is like that."


def _facts(pair: ScanPair | None, zone: str) -> str:
    if pair is None:
        return "Not among the first 500 pairs of this stage: its analysis over the same history is below."
    told = [f"rank {number(pair.rank, 0)}", f"p = {pair.p_value:.3g}" if pair.p_value is not None else ""]
    if pair.adjusted_p_value is not None:
        told.append(f"{pair.adjusted_p_value:.3g} once the number of tries counts")
    if pair.held_out_p_value is not None:
        told.append(f"{pair.held_out_p_value:.3g} in the part held out")
    if pair.trace_statistic is not None and pair.trace_critical_value is not None:
        told.append(f"trace {pair.trace_statistic:.3g} (critical {pair.trace_critical_value:.3g})")
    if pair.break_us is not None:
        told.append(f"a break at {moment(pair.break_us, zone)}")
    if pair.hedge_ratio is not None:
        told.append(f"hedge ratio {pair.hedge_ratio:.4g}")
    return ", ".join(part for part in told if part) + (f". {pair.reason}" if pair.reason else ".")
