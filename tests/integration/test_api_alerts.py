"""Acknowledgement and snoozing of alerts: stored once, filtered by, and sent to every listener."""

import asyncio
import csv
import json
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest
from msgspec import structs
from websockets.asyncio.client import connect
from websockets.sync.client import ClientConnection

from services.common import clock
from services.common.codec import encode
from services.contracts.messages import Alert
from tests.api_process import PAIR, ApiProcess, alert, running_api, store
from tests.broker import produce
from tests.fix_broker import embedded_broker
from tests.stream_client import open_stream, receive, receive_until
from tests.waiting import wait_until

pytestmark = pytest.mark.integration

ALERTS = [alert(number) for number in range(12)]
OTHER_PAIR = "SOLUSDT-BTCUSDT"
PAIRS = {"PAIRSTREAM_SYMBOLS": "BTCUSDT,ETHUSDT,SOLUSDT", "PAIRSTREAM_PAIRS": f"{PAIR},{OTHER_PAIR}"}


@pytest.fixture(scope="module")
def broker() -> Iterator[str]:
    with embedded_broker() as address:
        yield address


@pytest.fixture(scope="module")
def api(store_url: str, broker: str) -> Iterator[ApiProcess]:
    store(store_url, ALERTS)
    with running_api(broker, store_url, variables=PAIRS) as running:
        yield running


def post(api: ApiProcess, number: int, what: str, **body: Any) -> dict[str, Any]:
    response = api.http.post(f"/v1/alerts/{ALERTS[number].alert_id}/{what}", json=body or None)
    assert response.status_code == 200, response.text
    return dict(response.json())


def stored(api: ApiProcess, number: int) -> dict[str, Any]:
    rows = {row["alert_id"]: row for row in api.data("/v1/alerts")}
    return rows[ALERTS[number].alert_id]


def test_who_saw_an_alert_first_stays(api: ApiProcess) -> None:
    before = clock.now_us()
    assert stored(api, 0)["acked_us"] is stored(api, 0)["acked_time"] is stored(api, 0)["acked_by"] is None
    told = post(api, 0, "ack")
    assert before <= told["acked_us"] <= clock.now_us()
    assert (told["acked_by"], told["acked_time"]) == ("local", clock.to_iso(told["acked_us"]))
    assert post(api, 0, "ack") == stored(api, 0) == told


def test_a_snooze_ends_at_its_time_or_when_it_is_told_to(api: ApiProcess) -> None:
    before = clock.now_us()
    told = post(api, 1, "snooze", for_s=90.5)
    assert before <= told["snoozed_until_us"] - 90_500_000 <= clock.now_us()
    assert stored(api, 1) == told
    until = clock.now_us() + clock.HOUR
    assert post(api, 1, "snooze", until=clock.to_iso(until))["snoozed_until_us"] == until
    assert post(api, 1, "snooze", until=until)["snoozed_until_us"] == until
    post(api, 1, "ack")
    assert stored(api, 1)["snoozed_until_us"] == until
    for end in ({"for_s": 0}, {"until": "2026-01-01T00:00:00Z"}):
        post(api, 1, "snooze", for_s=60)
        assert post(api, 1, "snooze", **end)["snoozed_until_us"] is None
    assert stored(api, 1)["acked_by"] == "local"


def test_alerts_are_filtered_by_rule_and_by_who_saw_them(api: ApiProcess) -> None:
    post(api, 3, "ack")
    seen = api.data("/v1/alerts", acked="true")
    unseen = api.data("/v1/alerts", acked="false", pair=PAIR, rule="zscore-entry", state="firing")
    assert ALERTS[3].alert_id in {row["alert_id"] for row in seen}
    assert all(row["acked_us"] for row in seen)
    assert unseen
    assert not any(row["acked_us"] for row in unseen)
    everything = {row["alert_id"] for row in (*seen, *api.data("/v1/alerts", acked="false"))}
    assert everything == {one.alert_id for one in ALERTS}
    assert api.data("/v1/alerts", rule="another") == []


def test_alerts_are_filtered_by_whether_they_are_snoozed_now(api: ApiProcess) -> None:
    def listed(snoozed: str) -> set[str]:
        return {row["alert_id"] for row in api.data("/v1/alerts", snoozed=snoozed)}

    silent, over = ALERTS[4].alert_id, ALERTS[5].alert_id
    post(api, 4, "snooze", for_s=3600)
    ends_us = post(api, 5, "snooze", for_s=0.05)["snoozed_until_us"]
    wait_until(lambda: clock.now_us() > ends_us, "the snooze to end")
    assert silent in listed("true")
    assert over not in listed("true")
    assert listed("true").isdisjoint(listed("false"))
    assert listed("true") | listed("false") == {one.alert_id for one in ALERTS}
    post(api, 4, "snooze", for_s=0)
    assert silent in listed("false")


REFUSED = {
    "nothing": ({}, "body", "either until or for_s"),
    "both": ({"for_s": 1, "until": "2030-01-01T00:00:00Z"}, "body", "either until or for_s"),
    "too long": ({"for_s": 30 * 86_400 + 1}, "for_s", "less than or equal to 2592000"),
    "too late": ({"until": "9999-01-01T00:00:00Z"}, "until", "at most 30 days from now"),
    "no zone": ({"until": "2030-01-01T00:00:00"}, "until", "a time with its zone"),
    "a number as text": ({"for_s": "60"}, "for_s", "a valid number"),
    "before now": ({"for_s": -1}, "for_s", "greater than or equal to 0"),
    "unknown": ({"for_s": 60, "by": "me"}, "by", "only documented"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_wrong_snooze_says_what_is_wrong(api: ApiProcess, case: str) -> None:
    body, field, expected = REFUSED[case]
    before = stored(api, 5)
    response = api.http.post(f"/v1/alerts/{ALERTS[5].alert_id}/snooze", json=body)
    assert response.status_code == 422, response.text
    (error,) = response.json()["errors"]
    assert error["field"] == field
    assert expected in error["expected"]
    assert stored(api, 5) == before


@pytest.mark.parametrize(
    ("alert_id", "status"),
    [("none", 404), ("%00", 422), ("a%00b", 422), ("x" * 257, 422), ("';%20--", 404), ("%F0%9F%90%98", 404)],
)
def test_an_unknown_alert_is_no_error_of_ours(api: ApiProcess, alert_id: str, status: int) -> None:
    for what, body in (("ack", None), ("snooze", {"for_s": 60})):
        response = api.http.post(f"/v1/alerts/{alert_id}/{what}", json=body)
        assert response.status_code == status, response.text


def retraction(number: int, pair: str = PAIR) -> Alert:
    known = alert(number, pair=pair)
    return structs.replace(
        known,
        alert_id=f"{known.alert_id}:retracted",
        state="retracted",
        retracts=known.alert_id,
        y_age_s=0.2,
        x_age_s=4.1,
    )


def test_a_retracted_alert_says_so_in_history_filters_and_the_stream_and_can_be_handled(
    api: ApiProcess, broker: str, store_url: str
) -> None:
    def listed(**query: str) -> set[str]:
        return {row["alert_id"] for row in api.data("/v1/alerts", pair=OTHER_PAIR, **query)}

    known, other = (alert(number, pair=OTHER_PAIR) for number in (202, 205))
    retracts = retraction(202, OTHER_PAIR)
    with open_stream(api, f"?topics=alerts&pairs={OTHER_PAIR}") as stream:
        receive(stream)
        produce(broker, "alerts", ((encode(one), 0) for one in (known, other, retracts)))
        told: dict[str, dict[str, Any]] = {}
        while len(told) < 3 or told[known.alert_id]["retracted_by"] is None:
            told |= {one["alert_id"]: one for one in receive_until(stream, "alerts")}
        store(store_url, [known, other, retracts])
        assert {row["alert_id"]: row for row in api.data("/v1/alerts", pair=OTHER_PAIR)} == told
        assert told[known.alert_id]["retracted_by"] == retracts.alert_id
        assert told[other.alert_id]["retracted_by"] is None
        assert structs.asdict(retracts).items() <= told[retracts.alert_id].items()

        assert listed(state="retracted") == {retracts.alert_id}
        assert listed(retracted="true") == {known.alert_id}
        assert listed(retracted="false") == {other.alert_id, retracts.alert_id}
        response = api.http.post(f"/v1/alerts/{known.alert_id}/ack")
        assert response.json()["acked_by"] == "local"
        assert receive_until(stream, "alerts") == [response.json()]
    text = api.get("/v1/alerts", format="csv", pair=OTHER_PAIR, state="retracted").text
    (row,) = csv.DictReader(text.splitlines())
    assert (row["y_age_s"], row["x_age_s"], row["retracts"]) == ("0.2", "4.1", known.alert_id)


def test_an_alert_that_is_not_stored_yet_is_waited_for(api: ApiProcess, broker: str, store_url: str) -> None:
    async def told() -> tuple[int, int]:
        async with (
            asyncio.timeout(20),
            connect(f"{api.url.replace('http', 'ws')}/v1/stream?topics=alerts", proxy=None) as socket,
            httpx.AsyncClient(base_url=api.url, trust_env=False) as http,
        ):
            await socket.recv()
            new = [alert(100), alert(101)]
            await asyncio.to_thread(produce, broker, "alerts", ((encode(one), 0) for one in new))
            heard: set[str] = set()
            while not heard >= {one.alert_id for one in new}:
                message = json.loads(await socket.recv())
                heard |= {one["alert_id"] for one in message.get("alerts", [])}
            early = asyncio.create_task(http.post(f"/v1/alerts/{new[0].alert_id}/ack"))
            never = asyncio.create_task(http.post(f"/v1/alerts/{new[1].alert_id}/ack"))
            await asyncio.sleep(0.3)
            assert not early.done()
            await asyncio.to_thread(store, store_url, new[:1])
            return (await early).status_code, (await never).status_code

    assert asyncio.run(told()) == (200, 404)


def test_every_client_of_the_stream_hears_of_it(api: ApiProcess) -> None:
    async def run() -> tuple[dict[str, Any], dict[str, Any]]:
        url = f"{api.url.replace('http', 'ws')}/v1/stream?topics=alerts"
        async with asyncio.timeout(20), connect(url, proxy=None) as socket:
            snapshot = json.loads(await socket.recv())
            told = await asyncio.to_thread(post, api, 7, "ack")
            while not (update := json.loads(await socket.recv())).get("alerts"):
                pass
        (news,) = update["alerts"]
        assert news == told
        return {row["alert_id"]: row for row in snapshot["alerts"]}, news

    before, news = asyncio.run(run())
    assert before[news["alert_id"]] == {**news, **dict.fromkeys(("acked_us", "acked_time", "acked_by"))}


def test_clients_of_other_processes_hear_of_it_once(api: ApiProcess, broker: str, store_url: str) -> None:
    def handled(stream: ClientConnection) -> list[dict[str, Any]]:
        """Return the news until what was done last."""
        heard: list[dict[str, Any]] = []
        while not heard or heard[-1]["snoozed_until_us"] is None:
            heard += receive_until(stream, "alerts")
        return heard

    with (
        running_api(broker, store_url) as other,
        open_stream(api, "?topics=alerts") as own,
        open_stream(other, "?topics=alerts") as foreign,
    ):
        assert [receive(stream)["type"] for stream in (own, foreign)] == ["snapshot"] * 2
        acked = post(api, 10, "ack")
        assert receive_until(foreign, "alerts") == [acked]
        snoozed = post(api, 10, "snooze", for_s=60)
        assert handled(foreign) == [snoozed]
        # Of what is done in one interval the latest is told.
        assert handled(own) in ([acked, snoozed], [snoozed])
        with psycopg.connect(store_url, autocommit=True) as connection:
            ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s"
            connection.execute(ended, ["pairstream-api-alerts"])
        acked = post(api, 11, "ack")
        assert receive_until(foreign, "alerts") == [acked]


def test_a_table_of_alerts_as_csv_has_it_too(api: ApiProcess) -> None:
    post(api, 8, "ack")
    rows = csv.DictReader(api.get("/v1/alerts", format="csv").text.splitlines())
    assert "local" in {row["acked_by"] for row in rows}


def test_what_was_done_goes_with_the_alert(api: ApiProcess, store_url: str) -> None:
    post(api, 9, "snooze", for_s=60)
    with psycopg.connect(store_url) as connection:
        connection.execute("DELETE FROM alerts WHERE alert_id = %s", [ALERTS[9].alert_id])
    assert api.http.post(f"/v1/alerts/{ALERTS[9].alert_id}/ack").status_code == 404
    with psycopg.connect(store_url) as connection:
        query = "SELECT FROM alert_handling WHERE alert_id = %s"
        assert connection.execute(query, [ALERTS[9].alert_id]).fetchall() == []
