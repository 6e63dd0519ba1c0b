"""Pairs through the API, which follows the topic `pairs` like every other service."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest

from services.api.models.pairs import Pair
from services.common.codec import decode, encode
from services.contracts.messages import PairConfig
from tests.api_process import PAIR, START_US, ApiProcess, pair_signal, running_api, store, tick
from tests.broker import produce, read_all
from tests.fix_broker import embedded_broker
from tests.ports import free_port

pytestmark = pytest.mark.integration

OTHER = "SOLUSDT-BTCUSDT"
ALL_OF_IT: dict[str, Any] = {
    "window": 60,
    "method": "ols_origin",
    "transform": "price",
    "intercept": False,
    "min_samples": 20,
    "entry_z": 3.5,
    "exit_z": 0.25,
    "stale_after_s": 4.5,
    "paused": True,
}


@pytest.fixture(scope="module")
def broker() -> Iterator[str]:
    with embedded_broker() as address:
        yield address


@pytest.fixture(scope="module")
def api(store_url: str, broker: str) -> Iterator[ApiProcess]:
    store(store_url, [tick(1), tick(2, "SOLUSDT", START_US, 50.0)])
    with running_api(broker, store_url, variables={"PAIRSTREAM_ENTRY_Z": "2.5"}) as running:
        yield running


@pytest.fixture(autouse=True)
def only_the_first(api: ApiProcess) -> Iterator[None]:
    yield
    for name in {pair["pair"] for pair in api.data("/v1/pairs")} - {PAIR}:
        api.http.delete(f"/v1/pairs/{name}")
    api.http.put(f"/v1/pairs/{PAIR}")


def on_topic(broker: str, name: str) -> PairConfig | None:
    """Return what the topic says last of a pair, None if it is removed."""
    values = [
        record.value for record in asyncio.run(read_all(broker, "pairs")) if record.key == name.encode()
    ]
    return None if values[-1] is None else decode(values[-1], PairConfig)


def names(api: ApiProcess) -> list[str]:
    return [pair["pair"] for pair in api.data("/v1/pairs")]


def test_a_pair_is_created_with_defaults_and_answered_as_it_holds(api: ApiProcess, broker: str) -> None:
    created = api.http.put(f"/v1/pairs/{OTHER.lower()}")
    assert created.status_code == 201, created.text
    Pair.model_validate(created.json(), strict=True)
    assert (created.json()["entry_z"], created.json()["window"]) == (2.5, 300)
    assert api.get(f"/v1/pairs/{OTHER}").json() == created.json()
    assert names(api) == [PAIR, OTHER]
    assert on_topic(broker, OTHER) == PairConfig(pair=OTHER, entry_z=2.5)


def test_every_setting_can_be_set_and_put_replaces_them_all(api: ApiProcess, broker: str) -> None:
    assert api.http.put(f"/v1/pairs/{OTHER}", json=ALL_OF_IT).status_code == 201
    told = api.get(f"/v1/pairs/{OTHER}").json()
    assert {name: told[name] for name in ALL_OF_IT} == ALL_OF_IT
    assert on_topic(broker, OTHER) == PairConfig(pair=OTHER, **ALL_OF_IT)
    replaced = api.http.put(f"/v1/pairs/{OTHER}", json={"window": 10})
    assert replaced.status_code == 200
    assert on_topic(broker, OTHER) == PairConfig(pair=OTHER, window=10, min_samples=10, entry_z=2.5)


def test_patch_changes_what_it_names_alone(api: ApiProcess) -> None:
    api.http.put(f"/v1/pairs/{OTHER}", json=ALL_OF_IT)
    patched = api.http.patch(f"/v1/pairs/{OTHER}", json={"paused": False, "window": 15})
    expected = ALL_OF_IT | {"paused": False, "window": 15, "min_samples": 15}
    assert patched.status_code == 200
    assert {name: patched.json()[name] for name in ALL_OF_IT} == expected
    assert api.http.patch("/v1/pairs/SOLUSDT-ETHUSDT", json={}).status_code == 404


def test_a_paused_pair_is_listed_also_as_csv(api: ApiProcess) -> None:
    api.http.patch(f"/v1/pairs/{PAIR}", json={"paused": True})
    api.wait_for("/v1/pairs", lambda response: response.json()["data"][0]["paused"])
    header, row = api.get("/v1/pairs", format="csv").text.splitlines()
    told = dict(zip(header.split(","), row.split(","), strict=True))
    assert (told["pair"], told["paused"], told["transform"]) == (PAIR, "true", "price")


def test_a_removed_pair_is_gone_and_what_is_stored_of_it_stays(
    api: ApiProcess, broker: str, store_url: str
) -> None:
    api.http.put(f"/v1/pairs/{OTHER}")
    store(store_url, [msgspec.structs.replace(pair_signal(1), pair=OTHER)])
    removed = api.http.delete(f"/v1/pairs/{OTHER.lower()}")
    assert (removed.status_code, removed.content) == (204, b"")
    assert names(api) == [PAIR]
    assert on_topic(broker, OTHER) is None
    gone = api.http.delete(f"/v1/pairs/{OTHER}")
    assert (gone.status_code, gone.json()["title"]) == (404, "Unknown pair")
    assert PAIR in gone.json()["detail"]
    assert len(api.data(f"/v1/pairs/{OTHER.lower()}/signals")) == 1
    assert api.data("/v1/alerts", pair=OTHER) == []


def test_what_others_put_on_the_topic_holds_here(api: ApiProcess, broker: str) -> None:
    config = PairConfig(pair="BTCUSDT-ETHUSDT", window=77)
    produce(broker, "pairs", [(encode(config), 2)], key=config.pair.encode())
    api.wait_for("/v1/pairs/BTCUSDT-ETHUSDT", lambda response: response.status_code == 200)
    assert api.get("/v1/pairs/BTCUSDT-ETHUSDT").json()["window"] == 77
    produce(broker, "pairs", [(b"{", 2)], key=b"BTCUSDT-ETHUSDT")
    api.http.put(f"/v1/pairs/{OTHER}")
    assert names(api) == ["BTCUSDT-ETHUSDT", PAIR, OTHER]


def test_a_pair_from_before_that_nobody_may_ask_for_goes_on_with_a_warning(
    api: ApiProcess, broker: str
) -> None:
    config = PairConfig(pair=OTHER, transform="log", intercept=False)
    produce(broker, "pairs", [(encode(config), 2)], key=OTHER.encode())
    api.wait_for(f"/v1/pairs/{OTHER}", lambda response: response.status_code == 200)
    assert "depends on the unit" in api.get(f"/v1/pairs/{OTHER}").json()["warning"]
    paused = api.http.patch(f"/v1/pairs/{OTHER}", json={"paused": True})
    assert (paused.status_code, paused.json()["paused"]) == (200, True)
    assert (
        api.http.put(f"/v1/pairs/{OTHER}", json={"transform": "log", "intercept": False}).status_code == 422
    )
    mended = api.http.patch(f"/v1/pairs/{OTHER}", json={"intercept": True})
    assert (mended.status_code, mended.json()["warning"]) == (200, None)
    again = api.http.patch(f"/v1/pairs/{OTHER}", json={"intercept": False})
    assert again.status_code == 422


REFUSED: dict[str, tuple[str, object, str, str]] = {
    "a leg nobody knows": ("SOLUSD-BTCUSDT", {}, "pair", "SOLUSDT"),
    "no pair": ("BTCUSDT", {}, "pair", "a pair Y-X such as ETHUSDT-BTCUSDT"),
    "one symbol twice": ("BTCUSDT-BTCUSDT", {}, "pair", "two different symbols"),
    "an unknown field": (PAIR, {"windw": 5}, "windw", "only documented"),
    "a price_transform": (PAIR, {"price_transform": "raw"}, "price_transform", "only documented"),
    "another pair in the body": (PAIR, {"pair": OTHER}, "pair", "only documented"),
    "a short window": (PAIR, {"window": 9}, "window", "greater than or equal to 10"),
    "a long window": (PAIR, {"window": 100_001}, "window", "less than or equal to 100000"),
    "a number as text": (PAIR, {"window": "30"}, "window", "a valid integer"),
    "a fraction": (PAIR, {"window": 30.5}, "window", "a valid integer"),
    "a flag as number": (PAIR, {"paused": 1}, "paused", "a valid boolean"),
    "a number as flag": (PAIR, {"entry_z": True}, "entry_z", "a valid number"),
    "an unknown method": (PAIR, {"method": "lasso"}, "method", "'ols'"),
    "null": (PAIR, {"window": None}, "window", "a valid integer"),
    "an exit above the entry": (PAIR, {"exit_z": 3, "entry_z": 2}, "body", "exit_z below entry_z 2"),
    "logarithms through the origin": (
        PAIR,
        {"transform": "log", "intercept": False},
        "body",
        "an intercept, or transform price",
    ),
    "the same by its method": (
        PAIR,
        {"transform": "log", "method": "ols_origin"},
        "body",
        "depends on the unit of the prices",
    ),
    "a gate that no alert passes": (
        PAIR,
        {"window": 29, "only_while_reverting": True},
        "body",
        "a window of at least 30 samples with only_while_reverting",
    ),
    "no intercept with tls": (PAIR, {"method": "tls", "intercept": False}, "body", "an intercept with"),
    "more samples than the window": (PAIR, {"window": 20, "min_samples": 21}, "min_samples", "at most the"),
    "a list": (PAIR, [1], "body", "dictionary"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_wrong_change_says_where_and_changes_nothing(api: ApiProcess, case: str) -> None:
    pair, body, field, expected = REFUSED[case]
    before = api.data("/v1/pairs")
    response = api.http.put(f"/v1/pairs/{pair}", json=body)
    assert response.status_code == 422, response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    (error,) = response.json()["errors"]
    assert error["field"] == field
    assert expected in error["expected"]
    assert error["received"]
    assert api.data("/v1/pairs") == before


@pytest.mark.parametrize("text", ['{"entry_z": NaN}', '{"entry_z": Infinity}', "{", ""])
def test_what_is_no_json_number_is_refused(api: ApiProcess, text: str) -> None:
    headers = {"Content-Type": "application/json"}
    response = api.http.patch(f"/v1/pairs/{PAIR}", content=text, headers=headers)
    assert response.status_code == 422, response.text


@pytest.mark.parametrize(
    ("text", "kind", "expected", "received"),
    [
        ("{exit_z: 3}", "application/json", "JSON, which this is not at character 1: ", None),
        ('{"exit_z": 3}', "text/plain", "the header Content-Type: application/json", '{"exit_z": 3}'),
    ],
)
def test_a_body_that_is_no_json_says_so(
    api: ApiProcess, text: str, kind: str, expected: str, received: str | None
) -> None:
    response = api.http.patch(f"/v1/pairs/{PAIR}", content=text, headers={"Content-Type": kind})
    (error,) = response.json()["errors"]
    assert (response.status_code, error["field"], error["received"]) == (422, "body", received)
    assert expected in error["expected"]


def test_changes_at_once_are_all_there_afterwards(api: ApiProcess) -> None:
    async def run() -> None:
        async with httpx.AsyncClient(base_url=api.url, timeout=20, trust_env=False) as http:
            changes: list[dict[str, Any]] = [
                {"window": 50},
                {"entry_z": 9.0},
                {"transform": "log"},
                {"paused": True},
            ]
            answers = await asyncio.gather(
                *(http.patch(f"/v1/pairs/{PAIR}", json=change) for change in changes)
            )
            assert {answer.status_code for answer in answers} == {200}

    asyncio.run(run())
    told = api.get(f"/v1/pairs/{PAIR}").json()
    assert (told["window"], told["entry_z"], told["transform"], told["paused"]) == (50, 9.0, "log", True)


def test_a_pair_keeps_its_last_signal(api: ApiProcess, broker: str) -> None:
    signals = [pair_signal(5), msgspec.structs.replace(pair_signal(6), closed=False)]
    produce(broker, "signals", ((encode(one), 0) for one in signals), key=PAIR.encode())
    last = api.wait_for(
        f"/v1/pairs/{PAIR}", lambda response: (response.json()["last_signal"] or {}).get("closed") is False
    )
    assert last.json()["last_signal"]["samples"] == 6


def test_without_a_broker_pairs_can_be_read_but_not_changed(database_url: str) -> None:
    with running_api(f"127.0.0.1:{free_port()}", database_url, ready=False) as api:
        api.wait_for("/v1/pairs", lambda response: response.status_code == 200)
        assert names(api) == [PAIR]
        for method in ("PUT", "PATCH", "DELETE"):
            refused = api.http.request(method, f"/v1/pairs/{PAIR}", json=None if method == "DELETE" else {})
            assert (refused.status_code, refused.json()["title"]) == (503, "Unavailable"), refused.text
            assert "broker" in refused.json()["detail"]
