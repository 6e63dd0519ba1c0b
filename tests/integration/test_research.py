"""Scans by the research service: found, paged, exported, cancelled, and done in spite of kills and outages."""

import asyncio
import csv
import io
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import numpy as np
import psutil
import pyarrow.parquet as pq
import pytest

from services.api.models.jobs import Job
from services.api.models.radars import Confirmation, Radar
from services.api.models.scans import Scan, ScanMatrix, ScanPairs
from services.common import clock
from services.common.codec import decode
from services.contracts.radar_messages import RadarEvent
from services.contracts.topics import RADAR
from tests.api_process import ApiProcess, running_api
from tests.broker import read_all
from tests.fix_broker import embedded_broker
from tests.fix_database import Postgres, created
from tests.research import START, asked, children, ended, names, running_research, store_bars
from tests.unit.quant.scan.test_scan import planted, walks
from tests.waiting import wait_until

pytestmark = pytest.mark.integration
SYMBOLS = names(12)
LARGE = 120
END_US = clock.from_datetime(START) + 1_200 * clock.MINUTE
"""End of the last bar."""


@pytest.fixture(scope="module")
def url(postgres: Postgres, template: str) -> Iterator[str]:
    """Create a store of twelve symbols, of which two pairs belong together, and of one that is constant."""
    with created(postgres.url, template) as found:
        prices = np.column_stack([planted(3), np.full(1_200, 7.0)])
        store_bars(found, prices, [*SYMBOLS, "ZZZUSDT"])
        yield found


@pytest.fixture(scope="module")
def broker_address() -> Iterator[str]:
    with embedded_broker() as address:
        yield address


@pytest.fixture(scope="module")
def api(broker_address: str, url: str) -> Iterator[ApiProcess]:
    with ExitStack() as stack:
        stack.enter_context(running_research(broker_address, url))
        yield stack.enter_context(running_api(broker_address, url))


@pytest.fixture(scope="module")
def scan(api: ApiProcess) -> dict[str, Any]:
    """Scan all of the store."""
    job_id = asked(api, transform="price")["job_id"]
    assert ended(api, job_id)["state"] == "done"
    return dict(api.get(f"/v1/scans/{job_id}").json())


def test_the_planted_pairs_are_found_and_the_funnel_is_told(api: ApiProcess, scan: dict[str, Any]) -> None:
    ScanPairs.model_validate(scan, strict=True)
    told = scan["scan"]["summary"]
    assert (told["tried"], told["corrected"], told["confirmed"], told["refused"]) == (66, 2, 1, 1)
    assert (told["bars"], told["held_out_bars"], told["asked_bars"]) == (840, 360, 4320)
    first, second = scan["data"][:2]
    assert {frozenset((first["y"], first["x"])), frozenset((second["y"], second["x"]))} == {
        frozenset(SYMBOLS[:2]),
        frozenset(SYMBOLS[2:4]),
    }
    confirmed = api.data(f"/v1/scans/{scan['scan']['job_id']}", stage="confirmed")
    assert [frozenset((one["y"], one["x"])) for one in confirmed] == [frozenset(SYMBOLS[:2])]
    assert len(confirmed[0]["spread"]) == 60
    broken = next(one for one in (first, second) if one["stage"] == "corrected")
    assert broken["reason"]
    last = scan["data"][-1]
    assert (last["stage"], last["y"], last["p_value"]) == ("refused", "ZZZUSDT", None)
    assert "does not move" in last["reason"]


def test_pages_and_files_have_the_same_pairs(api: ApiProcess, scan: dict[str, Any]) -> None:
    path = f"/v1/scans/{scan['scan']['job_id']}"
    ranks, cursor = [], None
    while True:
        answer = api.get(path, limit=25, **({"cursor": cursor} if cursor else {})).json()
        ranks += [one["rank"] for one in answer["data"]]
        if (cursor := answer.get("next_cursor")) is None:
            break
    assert ranks == list(range(1, 68))
    rows = list(csv.DictReader(io.StringIO(api.get(path, format="csv", limit=100_000).text)))
    assert [row["y"] for row in rows] == [one["y"] for one in scan["data"]]
    assert api.get("/v1/scans", format="csv").text.startswith("job_id,kind,state,")
    table = pq.read_table(io.BytesIO(api.get(path, format="parquet").content))
    assert table.column("p_value").to_pylist() == [one["p_value"] for one in scan["data"]]


def test_a_matrix_is_symmetric_and_in_clustered_order(api: ApiProcess, scan: dict[str, Any]) -> None:
    found = api.get(f"/v1/scans/{scan['scan']['job_id']}/matrix", of="evidence").json()
    ScanMatrix.model_validate(found, strict=True)
    places = {symbol: place for place, symbol in enumerate(found["symbols"])}
    assert set(places) == {*SYMBOLS, "ZZZUSDT"}
    assert abs(places[SYMBOLS[0]] - places[SYMBOLS[1]]) == 1
    cells = np.array(found["cells"], float)
    assert np.array_equal(cells, cells.T, equal_nan=True)
    assert cells[places[SYMBOLS[0]], places[SYMBOLS[1]]] > 4


def test_equal_scans_are_one_and_lists_have_it(api: ApiProcess, scan: dict[str, Any]) -> None:
    first = asked(api, transform="price", symbols=SYMBOLS[:4])
    again = api.http.post("/v1/scans", json={"symbols": SYMBOLS[:4], "transform": "price"})
    Scan.model_validate(again.json(), strict=True)
    if again.status_code == httpx.codes.OK:  # it has not ended meanwhile
        assert again.json()["job_id"] == first["job_id"]
    assert again.headers["Location"] == f"/v1/scans/{again.json()['job_id']}"
    Job.model_validate(ended(api, first["job_id"]), strict=True)
    known = [one["job_id"] for one in api.data("/v1/scans")]
    assert {first["job_id"], scan["scan"]["job_id"]} <= set(known)
    assert first["job_id"] in [one["job_id"] for one in api.data("/v1/jobs")]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"symbols": SYMBOLS[:1] * 2}, "at least two different symbols"),
        ({"start": "2026-01-01T00:00:00Z", "end": "2025-01-01T00:00:00Z"}, "a time not before start"),
        ({"start": "1990-01-01T00:00:00Z", "interval": "1s"}, "at most 10,000,000 closes"),
        ({"dataset": "nothing"}, "expected one of"),
        ({"symbols": ["AAAUSDT", "BBBUSDT"]}, "expected one of"),
        ({"held_out": 1.5}, "less than 1"),
    ],
)
def test_what_cannot_be_scanned_is_refused_at_once(api: ApiProcess, body: dict[str, Any], words: str) -> None:
    answer = api.http.post("/v1/scans", json=body)
    assert answer.status_code in (404, 422)
    assert words in answer.text


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            {"end": "2020-01-01T00:00:00Z"},
            "expected at least two symbols with bars at 95% of the times, received none",
        ),
        (
            {"start": "2026-01-01T19:00:00Z"},
            "expected at least 30 bars in each part, received 42 and, held out, 18",
        ),
    ],
)
def test_what_turns_out_to_be_no_history_fails_with_one_reason(
    api: ApiProcess, body: dict[str, Any], words: str
) -> None:
    job = ended(api, asked(api, **body)["job_id"])
    assert job["state"] == "failed"
    assert words in job["reason"]


def test_a_radar_tells_what_it_confirms_and_keeps_its_last_scan(api: ApiProcess, broker_address: str) -> None:
    body = {"transform": "price", "symbols": SYMBOLS[:6], "every_s": 10}
    assert api.http.put("/v1/radars/six", json=body).status_code == 201
    found = api.wait_for("/v1/radars/six", lambda answer: answer.json().get("state") == "watching", 60).json()
    Radar.model_validate(found, strict=True)
    assert (found["confirmed"], found["summary"]["tried"], found["scanned_us"]) == (1, 15, END_US)
    (open_one,) = api.data("/v1/radars/six/confirmations", ended=False)
    Confirmation.model_validate(open_one, strict=True)
    assert (open_one["leg_a"], open_one["leg_b"], open_one["confirmed_us"]) == (*SYMBOLS[:2], END_US)
    (event,) = _events(broker_address, "six", 1)
    assert (event.kind, event.at_us, {*event.pair.split("-")}) == ("confirmed", END_US, {*SYMBOLS[:2]})
    # Of the same history nothing is told again, and the scan before is forgotten.
    last = found["job_id"]
    again = api.wait_for("/v1/radars/six", lambda answer: answer.json()["job_id"] != last, 60).json()
    assert (again["confirmed"], len(api.data("/v1/radars/six/confirmations"))) == (1, 1)
    assert api.get(f"/v1/scans/{last}").status_code == 404
    # What another universe would confirm says nothing of this one.
    assert (
        api.http.put("/v1/radars/six", json={**body, "symbols": SYMBOLS[4:8], "paused": True}).status_code
        == 200
    )
    told = _events(broker_address, "six", 2)
    assert [(one.kind, one.reason) for one in told] == [
        ("confirmed", None),
        ("ended", "the radar was changed"),
    ]
    assert api.http.delete("/v1/radars/six").status_code == 204
    assert "six" not in [one["radar_id"] for one in api.data("/v1/radars")]


def test_a_radar_that_is_deleted_tells_the_end_of_what_it_confirms(
    api: ApiProcess, broker_address: str
) -> None:
    body = {"transform": "price", "symbols": SYMBOLS[:5], "every_s": 10}
    assert api.http.put("/v1/radars/five", json=body).status_code == 201
    _events(broker_address, "five", 1)
    assert api.http.delete("/v1/radars/five").status_code == 204
    assert _events(broker_address, "five", 2)[-1].reason == "the radar was deleted"


def test_a_radar_with_too_little_history_is_in_one_clear_state(api: ApiProcess) -> None:
    body = {"interval": "1h", "every_s": 10}
    assert api.http.put("/v1/radars/hours", json=body).status_code == 201
    found = api.wait_for("/v1/radars/hours", lambda answer: answer.json().get("state") == "unfit", 60).json()
    assert found["reason"] == "symbols: expected at least two, received none"
    api.wait_for("/v1/radars/hours", lambda answer: answer.json()["next_us"] > found["next_us"], 60)
    assert [one for one in api.data("/v1/jobs", state="failed") if one["request"].get("radar")] == []
    assert api.http.delete("/v1/radars/hours").status_code == 204


def _events(broker: str, radar: str, count: int) -> list[RadarEvent]:
    """Return the events of a radar on the topic, once there are so many."""
    found: list[RadarEvent] = []

    def enough() -> bool:
        records = asyncio.run(read_all(broker, RADAR.name))
        found[:] = [
            one for record in records if (one := decode(record.value or b"", RadarEvent)).radar == radar
        ]
        return len(found) >= count

    wait_until(enough, f"{count} events of the radar {radar}")
    return sorted(found, key=lambda one: one.at_us)


def test_research_is_a_service_of_the_status(api: ApiProcess, scan: dict[str, Any]) -> None:
    def counted(answer: httpx.Response) -> bool:
        services = {one["service"]: one for one in answer.json()["services"]}
        return bool(services["research"]["healthy"]) and services["research"]["counters"]["jobs_done"] > 0

    api.wait_for("/v1/status", counted)


@pytest.fixture
def large(postgres: Postgres, template: str) -> Iterator[str]:
    """Create a store of so many symbols that a scan takes seconds."""
    with created(postgres.url, template) as found:
        store_bars(found, walks(5, 1_500, LARGE), names(LARGE))
        yield found


def _running(api: ApiProcess, job_id: str) -> None:
    api.wait_for(f"/v1/jobs/{job_id}", lambda answer: answer.json().get("step") == "testing pairs", 90)


@pytest.mark.long  # tests/contract/test_jobs.py has each step of it
def test_a_job_is_done_although_its_worker_was_killed_and_the_database_was_away(
    broker_address: str, large: str, postgres: Postgres
) -> None:
    with running_api(broker_address, large) as api:
        with running_research(broker_address, large) as research:
            job_id = asked(api)["job_id"]
            _running(api, job_id)
            started = children(research)
            assert started
            assert all(one.nice() == 10 for one in started)
            research.send_signal(signal.SIGKILL)
            research.wait()
            wait_until(lambda: not any(one.is_running() for one in started), "its process ends with it", 10)
        with running_research(broker_address, large):
            _running(api, job_id)
            postgres.stop()
            postgres.start()
            job = ended(api, job_id, 90)
        assert (job["state"], job["attempts"]) == ("done", 2)
        pairs = api.data(f"/v1/scans/{job_id}", limit=10_000)
        assert [one["rank"] for one in pairs] == list(range(1, LARGE * (LARGE - 1) // 2 + 1))


def test_a_job_is_cancelled_within_two_seconds(broker_address: str, large: str) -> None:
    with running_api(broker_address, large) as api, running_research(broker_address, large) as research:
        job_id = asked(api)["job_id"]
        wait_until(lambda: bool(children(research)), "the job has a process")
        started = [psutil.Process(one.pid) for one in children(research)]
        began = time.monotonic()
        answer = api.http.delete(f"/v1/jobs/{job_id}")
        assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
        wait_until(lambda: not any(one.is_running() for one in started), "its process has ended", 10)
        assert time.monotonic() - began < 2
        assert api.data(f"/v1/scans/{job_id}") == []
