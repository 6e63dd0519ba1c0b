"""Targets and deliveries through the API: written, listed without secrets, replayed, explained."""

import asyncio
import time
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import msgspec
import psycopg
import pytest

from services.api.models.deliveries import AlertDelivery, Delivery, Target
from services.common.codec import encode
from services.common.settings import DatabaseSettings
from services.contracts.alert_messages import Alert
from services.contracts.targets import AlertNotification
from services.contracts.topics import HEARTBEATS
from services.rules.routing import Incident
from services.store import database, deliveries
from services.store.deliveries import NewDelivery
from tests.api_process import ApiProcess, alert, heartbeat, running_api, store
from tests.broker import produce
from tests.contract.test_deliveries import add
from tests.fix_broker import embedded_broker
from tests.fix_database import Postgres, created, empty

pytestmark = pytest.mark.integration

SECRET = "whsec_" + "a" * 32
BODY = {"id": "bot", "kind": "webhook", "url": "https://example.org/hook?key=hidden", "secret": SECRET}
ALERTS = [alert(number) for number in range(6)]


@pytest.fixture(scope="module")
def url(postgres: Postgres, template: str) -> Iterator[str]:
    with created(postgres.url, template) as found:
        yield found


@pytest.fixture(scope="module")
def broker() -> Iterator[str]:
    with embedded_broker() as address:
        yield address


@pytest.fixture(scope="module")
def running(url: str, broker: str) -> Iterator[ApiProcess]:
    with running_api(broker, url) as api:
        yield api


@pytest.fixture
def api(running: ApiProcess, url: str) -> ApiProcess:
    """Return the API on a store that has six alerts and no target."""
    empty(url)
    store(url, ALERTS)
    return running


def post(api: ApiProcess, **more: Any) -> dict[str, Any]:
    """Write a new target."""
    response = api.http.post("/v1/targets", json=BODY | more)
    assert response.status_code == HTTPStatus.CREATED, response.text
    return dict(response.json())


def new(one: Alert, name: str = "bot", reason: str | None = None) -> NewDelivery:
    """Return a delivery of an alert."""
    told = AlertNotification(kind="begun", target=name, group={}, alerts=(one,))
    ids = (one.alert_id,)
    return NewDelivery(deliveries.delivery_id(name, "begun", ids), name, ids, one.message, told, reason)


def set_states(url: str, **states: str) -> None:
    """Let what became of deliveries be this, by the alert."""
    with psycopg.connect(url) as connection:
        for name, state in states.items():
            connection.execute(
                "UPDATE deliveries SET state = %s, reason = 'received 503', status = 503, tries = 2,"
                " ended_at = CASE WHEN %s IN ('dead', 'delivered') THEN now() END WHERE %s = ANY (alert_ids)",
                [state, state, name.replace("_", "-")],
            )


def test_a_target_is_written_and_read_and_its_secrets_are_not(api: ApiProcess) -> None:
    told = post(api)
    assert Target.model_validate(told).state == "ready"
    assert told["url"] == "https://example.org/hook?…"
    listed = api.get("/v1/targets")
    assert listed.json()["data"] == [told]
    assert api.get("/v1/targets/bot").json() == told
    for text in (str(told), listed.text, api.get("/v1/targets", format="csv").text):
        assert SECRET not in text
        assert "hidden" not in text
    again = api.http.post("/v1/targets", json=BODY)
    assert again.status_code == HTTPStatus.CONFLICT
    assert api.http.delete("/v1/targets/bot").status_code == HTTPStatus.NO_CONTENT
    assert api.get("/v1/targets/bot").status_code == HTTPStatus.NOT_FOUND


def test_a_target_that_is_written_again_keeps_what_nobody_is_told(api: ApiProcess, url: str) -> None:
    post(api, per_minute=7)
    changed = api.http.put("/v1/targets/bot", json={"kind": "webhook", "matchers": {"subject": "ETH*"}})
    assert changed.status_code == HTTPStatus.OK, changed.text
    assert changed.json()["per_minute"] == 6_000
    assert not changed.json()["rotating"]
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT url, secret FROM targets").fetchall() == [
            (BODY["url"], BODY["secret"])
        ]
    other = "whsec_" + "b" * 32
    assert api.http.put("/v1/targets/bot", json={"kind": "webhook", "secret": other}).json()["rotating"]


def test_a_target_of_another_kind_needs_an_address_of_its_own(api: ApiProcess) -> None:
    post(api)
    response = api.http.put("/v1/targets/bot", json={"kind": "slack"})
    (error,) = response.json()["errors"]
    assert (error["field"], error["expected"]) == ("url", "http:// or https://")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (BODY | {"secret": "whsec_short"}, "secret"),
        (BODY | {"url": "ftp://example.org/hidden"}, "url"),
        (BODY | {"odd": 1}, "odd"),
        (BODY | {"matchers": {"price": "1"}}, "matchers"),
        (BODY | {"per_minute": 0}, "per_minute"),
    ],
)
def test_a_wrong_target_is_refused_by_its_field(api: ApiProcess, body: dict[str, Any], field: str) -> None:
    response = api.http.post("/v1/targets", json=body)
    assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    (error,) = response.json()["errors"]
    assert error["field"] == field
    assert "hidden" not in response.text


def test_deliveries_are_filtered_and_paged(api: ApiProcess, url: str) -> None:
    post(api)
    post(api, id="other")
    add(url, *(new(one) for one in ALERTS[:4]), new(ALERTS[0], "other"))
    set_states(url, alert_000001="dead")
    rows = api.data("/v1/deliveries", target="bot")
    assert [Delivery.model_validate(row).target for row in rows] == ["bot"] * 4
    assert {row["target"] for row in api.data("/v1/deliveries", alert="alert-000000")} == {"bot", "other"}
    (dead,) = api.data("/v1/deliveries", state="dead")
    assert (dead["alert_ids"], dead["status"], dead["next_us"]) == (["alert-000001"], 503, None)
    first = api.get("/v1/deliveries", limit=3).json()
    rest = api.data("/v1/deliveries", limit=3, cursor=first["next_cursor"])
    assert len({row["delivery_id"] for row in [*first["data"], *rest]}) == 5
    assert api.data("/v1/deliveries", end="2020-01-01T00:00:00Z") == []


def test_it_is_told_why_an_alert_did_not_arrive(api: ApiProcess, url: str) -> None:
    post(api)
    post(api, id="eth", matchers={"subject": "SOL*"})
    post(api, id="quiet")
    post(api, id="late")
    begun = ALERTS[0]
    held = Incident(begun, 0, held="silenced by night until 2026-01-01T00:00:00.000000Z")
    with psycopg.connect(url) as connection:
        connection.execute(
            "INSERT INTO delivery_incidents VALUES ('quiet', %s, %s)",
            [f"{begun.rule}:{begun.subject}", msgspec.msgpack.encode(held)],
        )
    add(url, new(begun))
    expected = {
        "waiting": "waiting until ",
        "failed": "tried 2 times, the next time at ",
        "dead": "given up after 2 tries: received 503",
        "delivered": "delivered at ",
        "skipped": "received 503",
    }
    for state, why in expected.items():
        set_states(url, alert_000000=state)
        rows = {row["target"]: row for row in api.data(f"/v1/alerts/{begun.alert_id}/deliveries")}
        assert AlertDelivery.model_validate(rows["bot"]).state == state
        assert rows["bot"]["why"].startswith(why)
    assert (rows["eth"]["state"], rows["quiet"]["state"], rows["late"]["state"]) == (
        "unmatched",
        "held",
        "unknown",
    )
    assert "expected 'SOL*'" in rows["eth"]["why"]
    assert rows["quiet"]["why"] == held.held
    assert api.get("/v1/alerts/nobody/deliveries").status_code == HTTPStatus.NOT_FOUND


def test_a_time_is_replayed(api: ApiProcess, url: str) -> None:
    post(api)
    add(url, *(new(one) for one in ALERTS[:3]))
    set_states(url, alert_000000="dead", alert_000001="delivered")
    asked = {"start": "2020-01-01T00:00:00Z"}
    assert api.http.post("/v1/targets/bot/replay", json=asked).json() == {"deliveries": 1}
    every = asked | {"states": ["delivered"]}
    assert api.http.post("/v1/targets/bot/replay", json=every).json() == {"deliveries": 1}
    assert {row["state"] for row in api.data("/v1/deliveries")} == {"waiting"}
    wrong = api.http.post("/v1/targets/bot/replay", json=asked | {"end": "2019-01-01T00:00:00Z"})
    assert wrong.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert api.http.post("/v1/targets/no/replay", json=asked).status_code == HTTPStatus.NOT_FOUND


def test_a_test_is_answered_with_what_became_of_it(api: ApiProcess, url: str, broker: str) -> None:
    post(api)
    api.wait_for("/v1/status", lambda told: '"service":"delivery","state":"unknown"' in told.text)
    nobody = api.http.post("/v1/targets/bot/test")
    assert (nobody.status_code, nobody.json()["title"]) == (HTTPStatus.CONFLICT, "Delivery does not run")
    produce(broker, HEARTBEATS.name, [(encode(heartbeat("delivery")), 0)], key=b"delivery/x")
    api.wait_for("/v1/status", lambda told: '"service":"delivery","state":"running"' in told.text)

    async def sent() -> None:
        """Send whatever is to be sent, as delivery does."""
        async with database.connect(DatabaseSettings(database_url=url), "test") as connection:
            taken: list[deliveries.TakenDelivery] = []
            deadline = time.monotonic() + 20
            while not taken and time.monotonic() < deadline:
                await asyncio.sleep(0.02)
                taken = await deliveries.take(connection, "bot", 60, 1)
            refused = deliveries.Outcome("dead", "received 404 Not Found", 404, 3)
            await deliveries.finish(connection, [(taken[0], refused)])

    async def tested() -> Any:
        sending = asyncio.create_task(sent())
        response = await asyncio.to_thread(api.http.post, "/v1/targets/bot/test")
        await sending
        return response.json()

    told = Delivery.model_validate(asyncio.run(tested()))
    assert (told.kind, told.state, told.status) == ("test", "dead", 404)
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE targets SET disabled_at = now(), disabled_reason = 'gone'")
    assert api.get("/v1/targets/bot").json()["state"] == "disabled"
    assert api.http.post("/v1/targets/bot/test").status_code == HTTPStatus.CONFLICT
