"""Near matches in a problem document."""

import time

from services.api.problems import unknown

SYMBOLS = [
    f"{first}{second}USDT" for first in "ABCDEFGHIJKLMNOPQRSTUVWXY" for second in "ABCDEFGHIJKLMNOPQRST"
]


def test_of_many_names_the_nearest_come_first_and_the_others_are_counted() -> None:
    problem = unknown("symbol", "ktusd", SYMBOLS)
    known = problem.members["known"]
    assert known[0] == problem.members["near"][0] == "KTUSDT"
    assert len(known) == len(set(known)) == 20
    assert problem.detail.startswith("expected one of KTUSDT, ")
    assert problem.detail.endswith(" or 480 others, received 'ktusd'")


def test_a_pair_the_other_way_round_is_the_nearest() -> None:
    problem = unknown("pair", "btcusdt-ethusdt", ["BTCUSDT-SOLUSDT", "ETHUSDT-BTCUSDT"])
    assert problem.members["near"][0] == "ETHUSDT-BTCUSDT"


def test_nothing_near_and_nothing_known_are_told_too() -> None:
    problem = unknown("pair", "?", [])
    assert (problem.members["known"], problem.members["near"]) == ([], [])
    assert problem.detail == "expected one of (none is known yet), received '?'"


def test_a_very_long_name_costs_no_time_and_is_shortened() -> None:
    began = time.perf_counter()
    problem = unknown("symbol", "AUSDT" * 10_000, SYMBOLS)
    assert time.perf_counter() - began < 1
    assert len(problem.detail) < 400
