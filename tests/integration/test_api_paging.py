"""Paging with pages of any size while ticks arrive before, between and after: no row twice, none left out."""

import itertools
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.common.clock import to_datetime
from tests.api_process import START_US, ApiProcess, running_api
from tests.fix_broker import embedded_broker

pytestmark = pytest.mark.integration

_INSERT = """
INSERT INTO ticks (symbol, ts, trade_id, venue, received_at, price, size, buyer_is_maker)
VALUES (%s, %s, %s, 'binance', %s, 1, 1, true) ON CONFLICT DO NOTHING
"""
# Few moments and ids, so that many share one.
Key = tuple[int, int]
KEYS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5)), max_size=25)
NAMES = (f"PAGE{number}USDT" for number in itertools.count())


class Served(NamedTuple):
    """The API and the connection on which ticks arrive."""

    api: ApiProcess
    connection: psycopg.Connection[Any]

    def arrive(self, symbol: str, keys: Iterable[Key]) -> None:
        rows = [(symbol, to_datetime(START_US + us), number, to_datetime(START_US)) for us, number in keys]
        self.connection.cursor().executemany(_INSERT, rows)

    def page(self, form: str, params: dict[str, Any]) -> tuple[list[Key], str | None]:
        """Return the keys of a page, and the cursor to go on from."""
        response = self.api.get("/v1/ticks", **params, format=form)
        assert response.status_code == 200, response.text
        if form == "json":
            document = response.json()
            rows = [(row["event_us"] - START_US, row["trade_id"]) for row in document["data"]]
            return rows, document.get("next_cursor")
        lines = [line.split(",") for line in response.text.splitlines()[1:]]
        link = response.headers.get("Link", "")
        cursor = link.partition("cursor=")[2].partition(">")[0].partition("&")[0] or None
        return [(int(us) - START_US, int(number)) for _, number, us, *_ in lines], cursor


@pytest.fixture(scope="module")
def served(store_url: str) -> Iterator[Served]:
    variables = {"PAIRSTREAM_API_LOCAL_RATE_LIMIT": "10000/second"}
    with (
        embedded_broker() as broker,
        running_api(broker, store_url, variables=variables) as api,
        psycopg.connect(store_url, autocommit=True) as connection,
    ):
        yield Served(api, connection)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    first=KEYS,
    arriving=st.lists(KEYS, max_size=6),
    limit=st.integers(1, 7),
    period=st.tuples(st.none() | st.integers(0, 10), st.none() | st.integers(0, 10)),
    form=st.sampled_from(["json", "csv"]),
)
def test_pages_are_what_was_there_once_each(
    served: Served,
    first: list[Key],
    arriving: list[list[Key]],
    limit: int,
    period: tuple[int | None, int | None],
    form: str,
) -> None:
    start, end = period
    if start is not None and end is not None and end < start:
        start, end = end, start
    symbol = next(NAMES)
    served.arrive(symbol, [(0, 99), *first])  # one at least, so that the symbol is known
    params: dict[str, Any] = {"symbol": symbol, "limit": limit}
    params |= {name: START_US + us for name, us in (("start", start), ("end", end)) if us is not None}

    def within(keys: Iterable[Key]) -> set[Key]:
        return {key for key in keys if (start or 0) <= key[0] < (10 if end is None else end)}

    seen: list[Key] = []
    later = iter(arriving)
    expected, possible = within([(0, 99), *first]), within([(0, 99), *first, *itertools.chain(*arriving)])
    while True:
        rows, cursor = served.page(form, params)
        seen += rows
        assert len(rows) <= limit
        if cursor is None:
            break
        assert len(rows) == limit
        served.arrive(symbol, new := next(later, []))
        expected |= {key for key in within(new) if key > rows[-1]}
        params["cursor"] = cursor
    assert seen == sorted(set(seen))
    assert expected <= set(seen) <= possible
