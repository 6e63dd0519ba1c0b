"""Radar page in one session: what is read, what is drawn once, and what is said while there is nothing."""

import asyncio
from dataclasses import replace
from typing import Any, cast

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ui.api.client import ApiClient
from services.ui.api.poll_cache import PollCache, PolledAnswer
from services.ui.api.queries import RefusedQuery
from services.ui.api.types import Confirmation, Listing, Radar, ScanMatrix, ScanPair, ScanPairs
from services.ui.pages.radar import callbacks, figures, rows
from services.ui.pages.radar.rows import PairFilter
from services.ui.pages.radar.view import RadarView
from services.ui.state.live_state import Now
from services.ui.state.page_context import PageContext, Selection
from services.ui.widgets.formatting import NONE
from tests.e2e import fake_radar
from tests.unit.ui.conftest import START_S

SECOND = 1_000_000
NOW_US = START_S * SECOND


class Answers:
    """Answers of the API to what the page reads, all of them there."""

    def __init__(self, symbols: int = 6) -> None:
        self.radar = fake_radar.Radar(symbols, NOW_US)
        self.refused = False
        self.error: str | None = None

    def get(self, key: Any, ask: Any, every_s: float) -> PolledAnswer[Any]:
        found: PolledAnswer[Any] = PolledAnswer()
        found.value, found.error = self._value(key), self.error if key == "/v1/radars" else None
        return found

    def _value(self, key: Any) -> Any:
        path = key if isinstance(key, str) else key[0]
        if path == "/v1/radars":
            return (msgspec.convert(self.radar.listed(), Radar, strict=False),)
        if path.endswith("/confirmations"):
            return tuple(msgspec.convert(self.radar.confirmations(), list[Confirmation], strict=False))
        if self.refused:
            return RefusedQuery("it is not known")
        asked = dict(key[1:])
        if path.endswith("/matrix"):
            cells = {"symbols": self.radar.symbols, "cells": self.radar.cells(asked["of"])}
            return msgspec.convert({"job_id": "x", "of": asked["of"], **cells}, ScanMatrix)
        data = {"scan": self.radar.scan(), "data": self.radar.pairs}
        return msgspec.convert(data, ScanPairs, strict=False)


def opened(site: PageContext, answers: Answers, mark: Any = None) -> RadarView:
    return RadarView(replace(site, readings=cast("PollCache", answers)), mark)


def selected(**asks: Any) -> Selection:
    return Selection("tab", "radar", 1, asks={"address": {}, **asks})


def test_a_radar_is_shown_once_and_again_when_a_scan_is_new(site: PageContext, now: Now) -> None:
    answers = Answers()
    view = opened(site, answers)
    first = view.step(selected(), now)
    assert first["radar-tried"] == {"children": "15"}
    assert len(first["radar-table"]["rowData"]) == 15
    assert len(first["radar-matrix"]["figure"]["data"][0]["z"]) == 6
    assert view.title == "2 confirmed"
    again = view.step(selected(), now)
    assert not {"radar-table", "radar-matrix"} & set(again)
    assert not {"radar-table", "radar-matrix"} & set(opened(site, answers, view.mark).step(selected(), now))
    answers.radar.change(8, NOW_US)
    new = view.step(selected(), now)
    assert len(new["radar-table"]["rowData"]) == 28
    assert len(new["radar-matrix"]["figure"]["data"][0]["z"]) == 8


def test_a_scan_that_was_replaced_meanwhile_leaves_what_is_shown(site: PageContext, now: Now) -> None:
    answers = Answers()
    view = opened(site, answers)
    answers.refused = True
    assert (
        view.step(selected(), now)["radar-empty"]["children"] == "The API does not have this: it is not known"
    )
    answers.refused = False
    view.step(selected(), now)
    answers.refused = True
    answers.radar.change(8, NOW_US)
    assert view.step(selected(), now)["radar-empty"]["children"] == ""


def test_too_little_history_is_said_in_place_of_pairs(site: PageContext, now: Now) -> None:
    said = opened(site, Answers(1)).step(selected(), now)
    assert "expected at least two, received BTCUSDT" in said["radar-empty"]["children"]
    assert "It goes on trying." in said["radar-status"]["children"]


def test_the_chosen_pair_is_asked_for_over_the_same_history_once(site: PageContext, now: Now) -> None:
    answers = Answers()
    view = opened(site, answers)
    asked = selected(pair="BTCUSDT-ETHUSDT")
    first = view.step(asked, now)
    summary = answers.radar.summary()
    assert summary is not None
    assert first["radar-study-subject"]["data"] == {
        "pair": "ETHUSDT-BTCUSDT",
        "interval": "1m",
        "transform": "log",
        "start": str(summary["first_us"]),
        "end": str(summary["last_us"] + 60 * SECOND),
    }
    assert "0.004 in the part held out" in first["radar-facts"]["children"]
    answers.radar.change(6, NOW_US)
    assert "radar-study-subject" not in view.step(asked, now)
    assert "radar-study-subject" in view.step(selected(pair="S002USDT-BTCUSDT"), now)


def test_an_api_that_is_away_is_said_beside_the_last_known(site: PageContext, now: Now) -> None:
    answers = Answers()
    answers.error = "no answer"
    said = opened(site, answers).step(selected(), now)
    assert said["radar-status"]["children"] == (
        "The radar cannot be read: no answer. What is shown is the last known."
    )


def test_a_half_life_is_shown_with_its_interval() -> None:
    pairs = msgspec.convert(fake_radar.Radar(8, NOW_US).pairs, list[ScanPair], strict=False)
    shown = {row["rank"]: row["text"] for row in rows.rows(pairs, {}, NOW_US)}
    ends = [(one.half_life_low_bars or 0, one.half_life_high_bars) for one in pairs if one.half_life_low_bars]
    told = {text["interval"] for text in shown.values()}
    assert {f"{low:.1f} to {'no end' if high is None else f'{high:.1f}'}" for low, high in ends} <= told
    assert shown[7]["interval"] == shown[7]["halfLife"] == NONE
    assert shown[1]["crossings"] == "41"


@given(
    st.lists(st.floats(-5, 5), max_size=60),
    st.floats(0, 1) | st.none(),
    st.floats(0, 1e3) | st.none(),
)
def test_a_row_has_a_text_for_whatever_there_is(
    spread: list[float], p_value: float | None, bp: float | None
) -> None:
    pair = ScanPair(
        rank=1, y="AUSDT", x="BUSDT", stage="tried", p_value=p_value, adjusted_p_value=p_value, spread_bp=bp,
        spread=tuple(spread),
    )  # fmt: skip
    (row,) = rows.rows([pair], {}, NOW_US)
    assert all(isinstance(text, str) and text for text in row["text"].values())
    assert all(0 <= height <= 100 for height in row["spread"])
    assert len(row["spread"]) == len(spread)


def test_filters_hold_together() -> None:
    found = msgspec.convert(Answers().radar.pairs, list[ScanPair], strict=False)
    wanted = PairFilter.read(selected(stage="corrected", name=" eth ", bp=6))
    assert wanted == PairFilter("corrected", "ETH", 6.0)
    assert {f"{pair.y}-{pair.x}" for pair in found if PairFilter(name="ETH").includes(pair)} == {
        "ETHUSDT-BTCUSDT",
        *(f"S00{n}USDT-ETHUSDT" for n in range(2, 6)),
    }
    assert [pair.rank for pair in found if PairFilter(least_bp=1e4).includes(pair)] == []


@pytest.mark.parametrize("of", figures.MATRICES)
def test_a_matrix_has_a_bound_on_each_side(of: str) -> None:
    found = ScanMatrix(job_id="x", of=of, symbols=("A", "B"), cells=((None, 0.5), (0.5, None)))
    (cells,) = figures.heatmap(found)["data"]
    assert (cells["zmin"], cells["zmax"]) == ((0.0, 8.0) if of == "evidence" else (-1.0, 1.0))


def test_one_click_watches_a_pair_as_it_was_scanned(site: PageContext) -> None:
    asked: list[tuple[str, str, bytes]] = []

    def api(request: httpx.Request) -> httpx.Response:
        asked.append((request.method, request.url.path, request.content))
        if request.method == "PUT" and "NONE" in request.url.path:
            problem = {"title": "Invalid", "status": 422, "detail": "expected two symbols that are ingested"}
            return httpx.Response(422, json=problem)
        return httpx.Response(200, json={"feed": None, "data": []})

    async def run(pair: str) -> str:
        async with ApiClient("http://api", httpx.MockTransport(api)) as client:
            return await callbacks.watched(replace(site, client=client), {"pair": pair, "transform": "log"})

    known = next(iter(site.market.pairs or {}))
    assert asyncio.run(run(known)) == f"{known} is watched already."
    assert "Expected two symbols that are ingested" in asyncio.run(run("NONEUSDT-BTCUSDT"))
    assert asked[0] == ("PUT", "/v1/pairs/NONEUSDT-BTCUSDT", b'{"transform":"log"}')
    assert asyncio.run(run("SOLUSDT-BTCUSDT")) == "SOLUSDT-BTCUSDT is watched: it is on the page Pairs."


def test_listings_are_read_as_they_are() -> None:
    assert msgspec.convert({"data": [Answers().radar.listed()]}, Listing[Radar], strict=False).data
