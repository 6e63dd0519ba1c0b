"""Names of symbols as venues list them, from the topic and the store to every answer and back as a parameter."""

import csv
import io
from collections.abc import Iterator
from functools import cache
from urllib.parse import quote

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from services.common.codec import encode
from services.contracts.pairs import Pair
from services.contracts.symbol_forms import market_symbol
from services.contracts.topics import TICKS
from tests.api_process import START_US, ApiProcess, running_api, store, tick
from tests.broker import produce
from tests.fix_broker import embedded_broker
from tests.unit.contracts.test_pairs import SYMBOLS

pytestmark = pytest.mark.integration

LISTED = [
    "BTCUSDT",
    "币安人生USDT",
    "4USDT",
    "1000PEPEUSDT",
    "ԲИTUSDT",
    "ÄÖ.A_B",
    "GOLD-26",
    "SILVER-26-A",
    "BTC-USDT",
]
LISTED += ["BTCUSDT_261225", "BTCUSD_PERP", "BTCUSDT.OKX", "ETHUSDT"]


@cache
def names() -> list[str]:
    """Return the listed names and some that hypothesis makes up, the same every time; nothing that collects asks."""
    found: set[str] = set()

    @settings(
        max_examples=80,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
    )
    @given(SYMBOLS)
    def collect(name: str) -> None:
        found.add(name)

    collect()
    return [*LISTED, *sorted(found - set(LISTED))]


@pytest.fixture(scope="module")
def api(store_url: str) -> Iterator[ApiProcess]:
    """Serve symbols of which one half is stored, the other on the topic as well."""
    ticks = [tick(number, name, START_US + number, 50.0) for name in names() for number in (1, 2)]
    store(store_url, ticks)
    live = [tick(3, name, START_US + 3, 51.0) for name in names()[::2]]
    with embedded_broker() as broker:
        produce(broker, TICKS.name, [(encode(one), number % 4) for number, one in enumerate(live)])
        with running_api(broker, store_url) as running:
            running.wait_for("/v1/status", lambda response: len(response.json()["symbols"]) >= len(names()))
            yield running


def test_every_name_is_listed_as_json_and_csv(api: ApiProcess) -> None:
    assert {row["symbol"] for row in api.data("/v1/symbols")} >= set(names())
    response = api.http.get("/v1/symbols", params={"format": "csv"})
    rows = list(csv.DictReader(io.StringIO(response.text, newline="")))
    assert {row["symbol"] for row in rows} >= set(names())


def test_every_name_comes_back_as_a_parameter_and_in_lower_case(api: ApiProcess) -> None:
    for name in names():
        for written in (name, name.lower()):
            if written.upper() == name:
                assert {row["symbol"] for row in api.data("/v1/ticks", symbol=written)} == {name}
        assert {row["symbol"] for row in api.data("/v1/gaps", symbol=name)} <= {name}
        assert api.get("/v1/bars", symbol=name, interval="1s").status_code == 200


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("BTC/USDT:USDT", "BTCUSDT"),
        ("BTC-USDT-SWAP", "BTCUSDT"),
        ("BINANCE:BTCUSDT.P", "BTCUSDT"),
        ("BTCUSDT_PERP", "BTCUSDT"),
        ("币安人生-USDT-SWAP", "币安人生USDT"),
        ("BTC-USDT", "BTC-USDT"),  # as that one is stored
        ("ETH-USDT", "ETHUSDT"),
    ],
)
def test_forms_of_other_tools_are_understood(api: ApiProcess, written: str, name: str) -> None:
    assert {row["symbol"] for row in api.data("/v1/ticks", symbol=written)} == {name}
    assert market_symbol(written, names()) == name


def test_every_pair_can_be_watched_read_and_removed(api: ApiProcess) -> None:
    for name in names()[1:]:
        if name == "ETHUSDT":
            continue
        pair = str(Pair(name, "BTCUSDT"))
        path = f"/v1/pairs/{quote(pair, safe='')}"
        made = api.http.put(path)
        assert made.status_code == 201, made.text
        assert made.json()["pair"] == pair
        assert (made.json()["y"], made.json()["x"]) == (name, "BTCUSDT")
        assert api.get(path).json()["pair"] == pair
        assert api.get(f"{path}/signals").json()["data"] == []
        assert api.http.delete(path).status_code == 204


def test_a_pair_in_another_form_is_the_same_pair(api: ApiProcess) -> None:
    made = api.http.put("/v1/pairs/ETH-USDT-SWAP--BTC-USDT-SWAP")
    assert made.json()["pair"] == "ETHUSDT-BTCUSDT"
    assert api.get("/v1/pairs/eth-usdt-swap-btcusdt_perp").json()["pair"] == "ETHUSDT-BTCUSDT"
    unified = quote("ETH/USDT:USDT-BTC/USDT:USDT", safe="")
    assert api.get(f"/v1/pairs/{unified}").json()["pair"] == "ETHUSDT-BTCUSDT"
    assert api.get(f"/v1/pairs/{unified}/signals").status_code == 200
    refused = api.http.put("/v1/pairs/BTC-USDT-SWAP--BTCUSDT")
    assert refused.status_code == 422
    assert "two different symbols" in refused.text


def test_what_may_be_two_pairs_is_refused_with_the_way_to_write_it(api: ApiProcess) -> None:
    refused = api.http.put("/v1/pairs/GOLD-26-SILVER-26-A")
    assert refused.status_code == 422
    assert "Y--X" in refused.json()["detail"]


@given(st.text(min_size=1, max_size=70))
@settings(max_examples=60, deadline=None)
def test_any_other_text_is_an_answer_of_the_client_s_fault(api: ApiProcess, text: str) -> None:
    assert api.get("/v1/ticks", symbol=text).status_code in (200, 404, 422)
    assert api.http.put(f"/v1/pairs/{quote(text, safe='')}").status_code in (201, 200, 404, 405, 422)
