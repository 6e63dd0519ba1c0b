"""Responses of the workers, for closes with gaps."""

import csv
import io
import json
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from msgspec import structs

from services.api.analysis.requests import Cut, MatrixRequest, PairRequest, Subject
from services.api.analysis.worker import solve
from services.api.models.analysis import Analysis
from services.api.queries.closes import Closes
from services.api.serialization.listing import Format
from services.common.clock import MINUTE, to_iso
from services.quant.options import AnalysisOptions
from tests.unit.quant.statistical_tests.test_unit_root import autoregressive

BARS = 300


def subject(kept: slice | list[int]) -> Subject:
    """Return closes of two legs a minute apart, of which only some bars are `kept`."""
    random = np.random.default_rng(1)
    x = 100 + np.cumsum(random.normal(0, 0.1, BARS))
    y = 5 + 0.5 * x + autoregressive(random, BARS, 0.95)
    start_us = MINUTE * np.arange(1_000, 1_000 + BARS)
    closes = {name: Closes(start_us[kept], leg[kept]) for name, leg in (("YYY", y), ("XXX", x))}
    return Subject(feed=None, dataset="d1", width_us=MINUTE, closes=closes)


def analysis(of: Subject, form: Format = "json", **options: Any) -> bytes:
    return solve(
        PairRequest(
            subject=of, form=form, path="/p", pair="YYY-XXX", options=AnalysisOptions(**options), series=True
        )
    )


@pytest.mark.parametrize(("step", "seconds_a_bar"), [(1, 60), (3, 180)])
def test_the_seconds_of_a_half_life_are_those_between_the_bars(step: int, seconds_a_bar: int) -> None:
    found = json.loads(analysis(subject(slice(None, None, step))))
    assert found["half_life"]["seconds"] == pytest.approx(seconds_a_bar * found["half_life"]["samples"])


def test_a_robust_value_is_the_same_in_every_range_that_has_its_bars() -> None:
    whole, part = subject(slice(None)), subject(slice(70, 280))
    values = [
        {point["start_us"]: point["zscore"] for point in json.loads(found)["data"]}
        for found in (analysis(of, method="huber", window=50) for of in (whole, part))
    ]
    later = sorted(values[1])[55:]
    assert [values[1][at] for at in later] == pytest.approx([values[0][at] for at in later], rel=1e-7)


@pytest.mark.parametrize(("freq", "width_us"), [("D", 86_400_000_000), ("MS", 2_629_746_000_000)])
def test_days_and_months_of_a_calendar_are_not_broken(freq: str, width_us: int) -> None:
    starts = pd.date_range("1995-01-01", periods=BARS, freq=freq, tz="Europe/London").as_unit("us").asi8
    minutes = subject(slice(None))
    closes = {name: Closes(starts, leg.price) for name, leg in minutes.closes.items()}
    calendar = structs.replace(minutes, width_us=width_us, closes=closes)
    found, expected = (json.loads(analysis(of)) for of in (calendar, minutes))
    assert (found["breaks"], found["verdict"]) == (0, expected["verdict"])


def test_a_parquet_file_says_what_it_is_of() -> None:
    file = pq.read_table(io.BytesIO(analysis(subject(slice(None)), "parquet", transform="log", window=20)))
    said = {key.decode(): value.decode() for key, value in file.schema.metadata.items()}
    expected = {"dataset": "d1", "method": "ols", "transform": "log", "window": "20", "path": "/p"}
    assert {name: said[f"pairstream.{name}"] for name in expected} == expected
    assert "pairstream.feed" not in said


def test_columns_without_a_value_are_null() -> None:
    found = json.loads(analysis(subject(slice(20))))
    assert "rolling" in found["not_enough_data"]
    assert [point["zscore"] for point in found["data"]] == [None] * 20


def test_a_correlation_says_how_many_of_its_returns_span_more() -> None:
    kept = [*range(50), *range(80, 200), *range(201, BARS)]
    asked = MatrixRequest(
        subject=subject(kept), form="json", path="/p", method="pearson", of="returns"
    )  # fmt: skip
    cells = {(cell["symbol"], cell["other"]): cell for cell in json.loads(solve(asked))["data"]}
    assert cells["YYY", "XXX"]["breaks"] == cells["XXX", "XXX"]["breaks"] == 2
    assert cells["XXX", "XXX"]["correlation"] == cells["YYY", "YYY"]["correlation"] == 1
    assert abs(cells["YYY", "XXX"]["correlation"]) < 1


@pytest.mark.parametrize(("points", "every", "first"), [(300, 1, 0), (299, 2, 1), (100, 3, 2), (43, 7, 5)])
def test_a_long_series_is_thinned_in_json_alone_and_says_so(
    monkeypatch: pytest.MonkeyPatch, points: int, every: int, first: int
) -> None:
    whole = subject(slice(None))
    everything = json.loads(analysis(whole))
    monkeypatch.setattr("services.api.analysis.worker._POINTS", points)
    monkeypatch.setattr("services.api.analysis.worker._SLICE_ROWS", 11)
    thinned = json.loads(analysis(whole))
    assert (everything["data_every"], thinned["data_every"]) == (1, every)
    assert thinned["data"] == everything["data"][first::every]
    assert thinned["data"][-1] == everything["data"][-1]
    statistics = {name: value for name, value in everything.items() if name not in ("data", "data_every")}
    assert statistics.items() <= thinned.items()
    rows = list(csv.DictReader(io.StringIO(analysis(whole, "csv").decode())))
    assert [row["start_us"] for row in rows] == [str(point["start_us"]) for point in everything["data"]]
    assert pq.read_table(io.BytesIO(analysis(whole, "parquet"))).num_rows == BARS


def test_bars_that_nobody_traded_in_are_shares_of_all() -> None:
    some, every = subject(slice(0, 60)), {"YYY": 15, "XXX": None}
    dropped = json.loads(analysis(structs.replace(some, carried_bars=every)))
    kept = json.loads(analysis(structs.replace(some, carried_bars=every, carried="keep")))
    assert (dropped["carried_share_y"], kept["carried_share_y"]) == (15 / 75, 15 / 60)
    assert dropped["carried_x"] is dropped["carried_share_x"] is None


@pytest.mark.parametrize(
    ("bars", "words"),
    [
        (52_000, "the newest 10,000 of 52,000 bars: ask for all by start=1970-01-01T00:00:01.000000Z"),
        (2_000_000, "the newest 10,000 of 2,000,000 bars: ask for up to 1,000,000 by start and end"),
    ],
)
def test_an_answer_about_the_newest_bars_says_how_to_have_more(bars: int, words: str) -> None:
    cut = Cut(taken=10_000, bars=bars, first_us=1_000_000)
    found = json.loads(analysis(structs.replace(subject(slice(0, 60)), cut=cut)))
    assert (found["bars_available"], found["cut"]) == (bars, words)


def broken(of: Subject) -> Subject:
    """Return `of` with a Y that is twice its X, and three times from the 180th bar on."""
    y, x = of.closes.values()
    slope = np.where(np.arange(BARS) < 180, 2.0, 3.0)
    price = slope * x.price + np.random.default_rng(2).normal(0, 0.1, BARS)
    return structs.replace(
        of, closes={"BTCUSDT": Closes(y.start_us, price), "BTCUSDC": Closes(x.start_us, x.price)}
    )


def test_a_break_has_the_time_of_its_first_bar_in_every_form() -> None:
    of = broken(subject(slice(None)))
    found = json.loads(analysis(of))
    at_us = int(of.closes["BTCUSDT"].start_us[180])
    assert found["verdict"]["conclusion"] == "broken"
    assert (found["structural_break"]["found"], found["structural_break"]["at_us"]) == (True, at_us)
    assert found["structural_break"]["at_time"] == to_iso(at_us)
    assert f"broke at {to_iso(at_us)}" in found["verdict"]["text"]
    assert [point["start_us"] for point in found["data"] if point["structural_break"]] == [at_us]
    rows = list(csv.DictReader(io.StringIO(analysis(of, "csv").decode())))
    assert [row["start_us"] for row in rows if row["structural_break"] == "true"] == [str(at_us)]
    table = pq.read_table(io.BytesIO(analysis(of, "parquet"))).to_pylist()
    assert [row["start_us"] for row in table if row["structural_break"]] == [at_us]
    slopes = [slope["first_us"] for slope in found["thirds"]["slopes"]]
    assert slopes == of.closes["BTCUSDT"].start_us[[0, 100, 200]].tolist()


def test_an_answer_knows_that_both_legs_are_one_asset() -> None:
    assert "Both legs are BTC" in " ".join(
        json.loads(analysis(broken(subject(slice(None)))))["verdict"]["notes"]
    )


def test_a_stable_pair_has_no_break_in_its_series() -> None:
    found = json.loads(analysis(subject(slice(None)), "json"))
    assert found["structural_break"]["found"] is False
    assert not any(point["structural_break"] for point in found["data"])
    assert Analysis.model_validate(found).half_life is not None
