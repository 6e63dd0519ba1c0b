"""Entries of a z-score and their outcomes, against a reading second by second and statsmodels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from statsmodels.stats.proportion import proportion_confint

from services.quant.analysis.entries import (
    Bands,
    Entry,
    Outcome,
    Seconds,
    count_waits,
    find_entries,
    rate_hits,
)
from services.quant.fit import NotEnoughDataError

SECOND = 1_000_000
BANDS = Bands(entry=2.0, exit=0.5, stop=4.0, within_us=5 * SECOND)


def found(zscores: list[float], seconds: list[int] | None = None, bands: Bands = BANDS) -> list[Entry]:
    return find_entries(measured(zscores, seconds or list(range(len(zscores)))), bands)


def measured(zscores: list[float], seconds: list[int], reverting: list[bool] | None = None) -> Seconds:
    z = np.array(zscores, float)
    known = np.array([False] * len(z) if reverting is None else reverting, bool)
    return Seconds(np.array(seconds, np.int64) * SECOND, z, z, known)


def entry(outcome: Outcome, seconds: float | None = None) -> Entry:
    exit_us = None if seconds is None else round(seconds * SECOND)
    return Entry(
        entry_us=0, zscore=2.0, reverting=False, worst=2.0, exit_us=exit_us, seconds=seconds, outcome=outcome
    )


@pytest.mark.parametrize(
    ("zscores", "outcome", "seconds"),
    [
        ([0, 2.0, 1.0, 0.5], "hit", 2),
        ([0, -2.5, -1.0, 0.2], "hit", 2),
        ([0, 2, 1, 1, 1, 1, 0], "hit", 5),
        ([0, 2, 1, 1, 1, 1, 1, 0], "expired", 6),
        ([0, 2, 4.0, 0], "stopped", 2),
        ([0, 5.0, 0], "stopped", 1),
        ([0, 2, -4.5, 0], "stopped", 2),
        ([0, 2, 1, 1, 1, 1, 1, 4, 0], "expired", 7),
        ([0, 2, 1, 1, 1, 1], "unresolved", None),
        ([0, 2, 1, 1, 1, 1, 1], "expired", None),
        ([0, 2, 4, 1], "stopped", None),
        # From one side to beyond the other is no way back: the alert fires on, too.
        ([0, 2, -2, -0.4], "hit", 2),
    ],
)
def test_an_entry_has_the_outcome_that_came_first(
    zscores: list[float], outcome: Outcome, seconds: float | None
) -> None:
    (one,) = found(zscores)
    assert (one.outcome, one.seconds, one.entry_us) == (outcome, seconds, SECOND)


def test_time_is_that_of_the_market_also_where_seconds_are_missing() -> None:
    (one,) = found([0, 2, 1, 0], [0, 1, 3, 7])
    assert (one.outcome, one.seconds) == ("expired", 6)


def test_what_is_beyond_the_entry_at_first_did_not_enter_there() -> None:
    assert found([3, 2, 1]) == []
    assert [one.entry_us for one in found([3, 0, 2, 0])] == [2 * SECOND]
    assert found([]) == []


def test_the_worst_is_until_the_exit() -> None:
    assert [one.worst for one in found([0, 2, -3, 0, 1.9, 2.1, 3.5])] == [3, 3.5]


def test_an_entry_says_whether_the_spread_was_seen_to_revert() -> None:
    reverting = [False, True, False, False, False, True]
    zscores = [0.0, 2, 0, 2, 0, 2]
    seconds = measured(zscores, list(range(6)), reverting)
    assert [one.reverting for one in find_entries(seconds, BANDS)] == [True, False, True]
    gated = find_entries(seconds, replace(BANDS, only_while_reverting=True))
    assert [one.entry_us // SECOND for one in gated] == [1, 5]


def test_a_gated_entry_is_where_the_spread_begins_to_revert() -> None:
    gate = replace(BANDS, only_while_reverting=True)
    seconds = measured([3, 3, 3, 0], [0, 1, 2, 3], [False, False, True, False])
    (one,) = find_entries(seconds, gate)
    assert (one.entry_us, one.exit_us) == (2 * SECOND, 3 * SECOND)


def slowly(zscores: list[float], seconds: list[int], bands: Bands) -> list[tuple[int, int | None, Outcome]]:
    """Return entry, exit and outcome, by a reading second by second."""
    entries: list[tuple[int, int | None, Outcome]] = []
    firing = bool(zscores) and abs(zscores[0]) >= bands.entry
    since: int | None = None
    outcome: Outcome = "unresolved"
    for second, z in zip(seconds, zscores, strict=True):
        if not firing and abs(z) >= bands.entry:
            firing, since, outcome = True, second, "unresolved"
        if since is not None and outcome == "unresolved":
            late = (second - since) * SECOND - bands.within_us
            if late > 0:
                outcome = "expired"
            elif abs(z) >= bands.stop:
                outcome = "stopped"
            elif abs(z) <= bands.exit:
                outcome = "hit"
            elif late == 0:
                outcome = "expired"
        if firing and abs(z) <= bands.exit:
            if since is not None:
                entries.append((since, second, outcome))
            firing, since = False, None
    return [*entries, (since, None, outcome)] if since is not None else entries


@given(st.lists(st.tuples(st.floats(-6, 6), st.integers(1, 4)), max_size=60), st.integers(1, 12))
def test_it_is_what_a_slow_reading_finds(steps: list[tuple[float, int]], within_s: int) -> None:
    zscores = [z for z, _ in steps]
    seconds = np.cumsum([step for _, step in steps], dtype=np.int64).tolist()
    bands = Bands(entry=2.0, exit=0.5, stop=3.5, within_us=within_s * SECOND)
    expected = [
        (first * SECOND, None if last is None else last * SECOND, outcome)
        for first, last, outcome in slowly(zscores, seconds, bands)
    ]
    known = find_entries(measured(zscores, seconds), bands)
    assert [(one.entry_us, one.exit_us, one.outcome) for one in known] == expected


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 9))
def test_the_rate_is_of_those_whose_outcome_is_known(hits: int, stopped: int, unresolved: int) -> None:
    entries = [entry("hit")] * hits + [entry("stopped")] * stopped + [entry("unresolved")] * unresolved
    if not hits + stopped:
        with pytest.raises(NotEnoughDataError, match=r"no entry|none of the entries has an outcome"):
            rate_hits(entries)
        return
    found = rate_hits(entries)
    low, high = proportion_confint(hits, hits + stopped, method="wilson")
    assert (found.entries, found.hits, found.stopped) == (hits + stopped + unresolved, hits, stopped)
    assert found.unresolved == unresolved
    assert found.rate == hits / (hits + stopped)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-12)


def test_waits_count_those_that_are_not_back_as_longer() -> None:
    waits = count_waits([entry("hit", 3), entry("expired", 9), entry("hit", 3), entry("unresolved")])
    assert [(one.seconds, one.entries, one.share) for one in waits] == [(3, 2, 0.5), (9, 3, 0.75)]
    with pytest.raises(NotEnoughDataError, match="no entry: the z-score never went"):
        count_waits([])
    with pytest.raises(NotEnoughDataError, match="none of the entries is back within the exit band yet"):
        count_waits([entry("stopped")])
