"""View of the upload page in one session."""

from typing import Any

from services.ui.api import downloads
from services.ui.api.client import segment
from services.ui.api.queries import RefusedQuery, once, why_nothing
from services.ui.api.types import Bar, Dataset, DatasetDetail, Finding, Listing
from services.ui.charts import updates
from services.ui.pages.upload import bars, listing, report
from services.ui.pages.upload.bars import COUNTS, OWN, WIDTHS_S
from services.ui.state.live_state import Now
from services.ui.state.page_context import PageContext, Props, Selection, View

LIST_EVERY_S = 10.0
EVERY_BAR = 1_000_000
LIST = "/v1/datasets"


class UploadView(View):
    """Every dataset, and the chosen one: its candles, or what became of its files."""

    cleared = ("dataset-empty", "candles-none")

    def __init__(self, site: PageContext, mark: Any = None) -> None:
        super().__init__(site, mark)
        self._drawn = mark if isinstance(mark, str) else None

    def step(self, selection: Selection, now: Now) -> Props:
        """Return what the page shows now."""
        chosen = selection.text("dataset")
        self.title = None
        props = self._list(selection)
        if chosen is None:
            return props
        reading = once(self.site, now, f"{LIST}/{segment(chosen)}", DatasetDetail)
        found = reading.value
        props |= updates.empty("dataset-empty", why_nothing(reading))
        if found is None or isinstance(found, RefusedQuery):
            return props | {"dataset-title": {"children": "Dataset"}}
        self.title = found.name
        props |= _about(found, selection)
        if selection.text("show") == "report":
            return props | self._report(found, selection, now)
        return props if selection.text("show") == "pair" else props | self._candles(found, selection, now)

    def _list(self, selection: Selection) -> Props:
        async def ask() -> tuple[Dataset, ...]:
            return (await self.site.client.read(LIST, Listing[Dataset])).data

        reading = self.site.readings.get((LIST, selection.asks.get("changed")), ask, LIST_EVERY_S)
        if reading.value is None:
            return updates.empty("datasets-empty", why_nothing(reading))
        rows = [listing.row(dataset) for dataset in reading.value]
        return {**updates.empty("datasets-empty", ""), "datasets-table": {"rowData": rows}}

    def _candles(self, found: DatasetDetail, selection: Selection, now: Now) -> Props:
        symbol = selection.text("symbol") or found.symbols[0].symbol
        limit = int(selection.one_of("bars", COUNTS, COUNTS[-1 if selection.text("bars") == bars.ALL else 1]))
        interval = selection.one_of("interval", tuple(WIDTHS_S), OWN)
        asked = {
            "dataset": found.dataset_id,
            "symbol": symbol,
            "interval": None if interval == OWN else interval,
        }
        end = selection.text("end")
        reading = once(self.site, now, "/v1/bars", Listing[Bar], **asked, limit=limit, end=end)
        why = why_nothing(reading)
        props: Props = {}
        if isinstance(reading.value, Listing):
            data = reading.value.data
            why = "" if data else f"No bar of {symbol} before that time."
            key = "|".join(str(part) for part in (*asked.values(), limit, end))
            if data and self._drawn != key:
                self._drawn = self.mark = key
                props = bars.chart(data, key)
            props["dataset-coverage"] = {"children": bars.coverage(data, symbol, limit, selection.zone)}
        href = downloads.link("/v1/bars", **asked, start=found.first_us, limit=EVERY_BAR)
        return {
            **props,
            **updates.empty("candles-none", why),
            "dataset-csv": {
                "href": href,
                "title": f"Every bar of {symbol} in {found.name}, up to 1\u202f000\u202f000",
            },
        }

    def _report(self, found: DatasetDetail, selection: Selection, now: Now) -> Props:
        kind = selection.one_of("kind", tuple(report.KINDS), "all")
        asked = {"kind": None if kind == "all" else kind}
        path = f"{LIST}/{found.dataset_id}/report"
        reading = once(self.site, now, path, Listing[Finding], **asked)
        findings = reading.value.data if isinstance(reading.value, Listing) else ()
        note = why_nothing(reading)
        if len(findings) > report.MOST_SHOWN:
            note = f"The first {report.MOST_SHOWN} are shown; all of them are in the CSV."
        return {
            "dataset-done": {"children": _stored(found, selection)},
            "dataset-facts": {"children": report.facts(found, selection.zone)},
            "dataset-counts": {"children": report.counts(found)},
            "dataset-symbols": {"children": report.symbols(found, selection.zone)},
            "dataset-readings": {"children": report.readings(found.files)},
            "dataset-findings": {"rowData": report.rows(findings[: report.MOST_SHOWN])},
            "dataset-findings-note": {"children": note},
            "dataset-report-csv": {"href": downloads.link(path, **asked)},
        }


def _about(found: DatasetDetail, selection: Selection) -> Props:
    names = [part.symbol for part in found.symbols]
    second = names[1] if len(names) > 1 else names[0]
    usual = {"dataset-symbol": ("symbol", names[0]), "dataset-y": ("y", names[0]), "dataset-x": ("x", second)}
    props: Props = {}
    for element, (asked, otherwise) in usual.items():
        chosen = selection.text(asked)
        unknown = [chosen] if chosen and chosen not in names else []
        props[element] = {"data": names + unknown, **({} if chosen else {"value": otherwise})}
    return {
        **props,
        "dataset-title": {"children": found.name},
        "dataset-interval": {"data": bars.intervals(found)},
        "delete-words": {"children": _loss(found)},
    }


def _stored(found: DatasetDetail, selection: Selection) -> str:
    """Return what has just become of the files, if this is what they became."""
    match selection.asks.get("stored"):
        case [found.dataset_id, 200]:
            return "The same files are already stored under this name: nothing was stored again."
        case [found.dataset_id, _]:
            return "Stored."
    return ""


def _loss(found: DatasetDetail) -> str:
    what = report.facts(found, "UTC")
    return f"{found.name}: {what}, and its report will be deleted for everyone. The files on your disk are not touched."
