"""Missing ids, against a count of each single id."""

from hypothesis import given
from hypothesis import strategies as st

from services.stream_analytics.doubtful_stretches import DoubtfulStretch
from services.stream_analytics.missing_ids import MissingIds

_IDS = st.tuples(st.integers(0, 30), st.integers(0, 8)).map(lambda run: (run[0], run[0] + run[1]))


@given(st.lists(st.tuples(st.sampled_from(("add", "take", "forget")), _IDS), max_size=30))
def test_runs_are_what_each_id_by_itself_would_be(steps: list[tuple[str, tuple[int, int]]]) -> None:
    ids = MissingIds()
    known: list[tuple[DoubtfulStretch, set[int]]] = []
    for number, (step, (first, last)) in enumerate(steps):
        asked = set(range(first, last + 1))
        if step == "add":
            hole = DoubtfulStretch(0, number, "missing", 0)
            ids.add(first, last, (hole,))
            known.append((hole, asked))
        elif step == "take":
            assert {id(hole) for hole in ids.take(first, last)} == {
                id(hole) for hole, missing in known if missing & asked
            }
            for _, missing in known:
                missing -= asked
        else:
            ids.forget(first)
            known = [(hole, missing) for hole, missing in known if hole.last_us >= first]
        assert [hole.missing for hole, _ in known] == [len(missing) for _, missing in known]
        lacked = {trade_id for _, missing in known for trade_id in missing}
        assert {trade_id for trade_id in range(45) if trade_id in ids} == lacked


def test_what_is_in_no_hole_is_missing_until_it_comes() -> None:
    ids = MissingIds([(0, 9)])
    assert ids.take(4, 5) == []
    assert [trade_id for trade_id in range(12) if trade_id in ids] == [0, 1, 2, 3, 6, 7, 8, 9]
