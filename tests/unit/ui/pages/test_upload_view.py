"""Upload page in one session."""

import asyncio
from dataclasses import replace
from typing import Any, cast

import httpx
import msgspec
import pytest

from services.ui.api.client import ApiClient
from services.ui.api.poll_cache import PollCache
from services.ui.api.queries import RefusedQuery, once, why_nothing
from services.ui.api.types import Bar, Dataset, DatasetDetail, FileReading, Finding, Listing, SymbolPart
from services.ui.pages.upload import bars, report
from services.ui.pages.upload.view import UploadView
from services.ui.state.live_state import Now
from services.ui.state.page_context import PageContext, Selection
from tests.unit.ui.answers import answer
from tests.unit.ui.conftest import START_S, StubReadings

SECOND = 1_000_000
ABOUT: dict[str, Any] = {
    "dataset_id": "one",
    "name": "may",
    "width_s": 60.0,
    "bars": 400,
    "first_us": START_S * SECOND,
    "last_us": (START_S + 12_000) * SECOND,
    "symbol_count": 2,
    "gaps": 1,
    "missing": 3,
    "carried": 40,
    "carried_share": 0.2,
    "rejected": 2,
    "repeated": 0,
    "out_of_order": 0,
    "skipped": 0,
    "adjusted": 0,
    "odd": 0,
    "uploaded_us": START_S * SECOND,
}
DETAIL = DatasetDetail(
    **ABOUT,
    symbols=tuple(
        SymbolPart(
            symbol=symbol,
            bars=200,
            first_us=START_S * SECOND,
            last_us=(START_S + 12_000) * SECOND,
            gaps=0,
            missing=0,
            carried=carried,
            carried_share=share,
        )
        for symbol, carried, share in (("A", 40, 0.2), ("B", None, None))
    ),
    files=(
        FileReading(
            name="may.csv",
            delimiter="comma",
            decimal=".",
            header_line=1,
            columns={"close": "Close", "time": "Zeit"},
            time="iso",
            zone="UTC",
            close_only=True,
        ),
    ),
    findings=(),
)


def bar(start_us: int, **fields: Any) -> Bar:
    prices = {"open": 1, "high": 2, "low": 1, "close": 1.5, "volume": 1.0}
    return answer(Bar, start_us=start_us, **{**prices, "closed": True, "coverage": 1.0, **fields})


def stored(count: int, volume: float | None = 1.0) -> Listing[Bar]:
    return Listing(data=tuple(bar((START_S + 60 * n) * SECOND, volume=volume) for n in range(count)))


def asking(**asks: Any) -> Selection:
    return Selection("one", "upload", 1, asks={"dataset": "one", "show": "candles", **asks})


@pytest.fixture
def known(site: PageContext) -> PageContext:
    """Return a site whose API has said everything of one dataset."""
    findings = Listing(
        data=tuple(
            Finding(kind="rejected", file="may.csv", line=line, reason="no number") for line in range(1_200)
        )
    )
    values = {"datasets": (Dataset(**ABOUT),), "one": DETAIL, "bars": stored(500), "report": findings}
    return replace(site, readings=cast("PollCache", StubReadings(**values)))


def test_every_dataset_is_a_row(known: PageContext, now: Now) -> None:
    props = UploadView(known).step(Selection("one", "upload", 1), now)
    assert set(props) == {"datasets-empty", "datasets-table"}
    (row,) = props["datasets-table"]["rowData"]
    assert (row["id"], row["text"]) == (
        "one",
        {"symbols": "2", "width": "1 min", "bars": "400", "carried": "20.00\u202f%"},
    )


def test_candles_are_sent_once_and_again_when_others_are_asked_for(known: PageContext, now: Now) -> None:
    view = UploadView(known)
    series = view.step(asking(), now)["chart-dataset"]["series"]
    assert [one["id"].split("|")[0] for one in series] == ["candles", "volume"]
    assert "chart-dataset" not in view.step(asking(turn=2), now)
    assert "chart-dataset" in view.step(asking(symbol="B"), now)
    # A new stream goes on with an old page.
    assert "chart-dataset" not in UploadView(known, view.mark).step(asking(symbol="B"), now)


def test_the_controls_offer_what_the_dataset_has(known: PageContext, now: Now) -> None:
    props = UploadView(known).step(asking(symbol="C"), now)
    assert props["dataset-symbol"] == {"data": ["A", "B", "C"]}
    assert (props["dataset-y"]["value"], props["dataset-x"]["value"]) == ("A", "B")
    assert [one["value"] for one in props["dataset-interval"]["data"]] == ["own", "5m", "1h"]
    href = props["dataset-csv"]["href"]
    assert href.startswith("/download/v1/bars?dataset=one&symbol=C&start=")


def test_files_without_volume_have_no_volume_drawn() -> None:
    drawn = bars.chart(stored(3, volume=None).data, "key")["chart-dataset"]
    assert [one["id"] for one in drawn["series"]] == ["candles|key"]


@pytest.mark.parametrize(
    ("width_s", "offered"), [(1.0, ["own", "1m", "5m", "1h"]), (90.0, ["own", "1h"]), (86_400.0, ["own"])]
)
def test_wider_bars_are_multiples_of_the_files(width_s: float, offered: list[str]) -> None:
    assert [one["value"] for one in bars.intervals(Dataset(**{**ABOUT, "width_s": width_s}))] == offered


def test_coverage_says_whether_there_are_more() -> None:
    assert bars.coverage(stored(3).data, "A", 500, "UTC").startswith("All 3 bars of A, 2023-11-14")
    assert bars.coverage(stored(500).data, "A", 500, "UTC").startswith("The newest 500 bars of A")


def test_coverage_says_what_is_no_whole_observation() -> None:
    some = [bar(0), bar(60, high=1, close=1, volume=0.0, carried=True)]
    some.append(bar(120, coverage=5 / 60))
    said = bars.coverage(some, "A", 500, "UTC")
    assert said.endswith(", nothing traded in 1 of them, 1 of only a part of their time")
    colors = ["color" in one for one in bars.chart(some, "key")["chart-dataset"]["series"][0]["data"]]
    assert colors == [False, False, True]


@pytest.mark.parametrize(
    ("carried", "share", "words"),
    [
        (40, 0.2, "40 20.00\u202f%: no trades; analyses leave them out"),
        (0, 0.0, "0 every bar has trades"),
        (None, None, "— unknown: no volume is above 0"),
    ],
)
def test_the_report_says_how_many_bars_are_carried(
    carried: int | None, share: float | None, words: str
) -> None:
    detail = msgspec.structs.replace(DETAIL, carried=carried, carried_share=share)
    card: Any = report.counts(detail)[-1]
    label, value, note = (part.children for part in card.children)
    assert (label, f"{value} {note}") == ("Bars carried", words)


def test_the_report_shows_the_first_findings_and_leads_to_all(known: PageContext, now: Now) -> None:
    props = UploadView(known).step(asking(show="report", kind="rejected"), now)
    assert len(props["dataset-findings"]["rowData"]) == report.MOST_SHOWN
    assert props["dataset-findings-note"]["children"].startswith("The first 1000 are shown")
    assert props["dataset-report-csv"]["href"] == "/download/v1/datasets/one/report?kind=rejected&format=csv"
    assert "chart-dataset" not in props


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        (["one", 201], "Stored."),
        (["one", 200], "The same files are already stored under this name: nothing was stored again."),
        (["other", 201], ""),
        (None, ""),
    ],
)
def test_the_report_says_what_has_just_become_of_files(
    known: PageContext, now: Now, stored: Any, said: str
) -> None:
    props = UploadView(known).step(asking(show="report", stored=stored), now)
    assert props["dataset-done"] == {"children": said}


def test_how_a_file_was_read_names_columns_that_are_called_otherwise() -> None:
    assert "time = Zeit, close; closes alone" in str(report.readings(DETAIL.files))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            httpx.Response(404, json={"detail": "expected one of may"}),
            "The API does not have this: expected one of may",
        ),
        (httpx.Response(503, json={"detail": "away"}), "No answer from the API."),
    ],
)
def test_an_answer_that_is_none_is_said(
    site: PageContext, now: Now, answer: httpx.Response, said: str
) -> None:
    async def run() -> str:
        client = ApiClient("http://api.test", httpx.MockTransport(lambda _: answer))
        asked = replace(site, client=client, readings=PollCache(lambda: now.s))
        reading = once(asked, now, "/v1/datasets/one", Dataset)
        assert why_nothing(reading) == "Loading…"
        await reading.settled()
        return why_nothing(reading)

    assert asyncio.run(run()).startswith(said)


def test_what_was_answered_is_not_asked_again_and_what_was_not_is(site: PageContext, now: Now) -> None:
    answers = [httpx.Response(503), httpx.Response(200, json=ABOUT), httpx.Response(404)]

    async def run() -> None:
        client = ApiClient("http://api.test", httpx.MockTransport(lambda _: answers.pop(0)))
        for seconds in (0, 1, 6, 50):
            later = Now(now.us, now.s + seconds)
            readings.monotonic_s = later.s
            reading = once(asked(client), later, "/v1/datasets/one", Dataset)
            await reading.settled()
        assert isinstance(reading.value, Dataset)
        assert len(answers) == 1

    class Clocked(PollCache):
        monotonic_s = now.s

        def __init__(self) -> None:
            super().__init__(lambda: self.monotonic_s)

    readings = Clocked()

    def asked(client: ApiClient) -> PageContext:
        return replace(site, client=client, readings=readings)

    asyncio.run(run())


def test_a_refusal_stands_for_the_dataset(site: PageContext, now: Now) -> None:
    gone = replace(site, readings=cast("PollCache", StubReadings(gone=RefusedQuery("it has been deleted"))))
    props = UploadView(gone).step(asking(dataset="gone"), now)
    assert props["dataset-empty"]["children"] == "The API does not have this: it has been deleted"
    assert "chart-dataset" not in props
