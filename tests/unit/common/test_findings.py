import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.findings import CountedFindings

NOTED = st.lists(st.tuples(st.sampled_from(["rejected", "repeated", "gap"]), st.integers(1, 5)), max_size=30)


@given(NOTED, st.integers(0, 4), st.booleans())
def test_all_are_counted_and_heard_and_the_first_are_kept(
    noted: list[tuple[str, int]], most: int, of_each_kind: bool
) -> None:
    heard: list[tuple[str, int]] = []
    found = CountedFindings[str, tuple[str, int]](most, heard.append, of_each_kind=of_each_kind)
    for kind, number in noted:
        found.note(kind, (kind, number))
    assert heard == noted
    assert found.counts.total() == len(noted)
    kept = [[one for one in noted if one[0] == kind][:most] for kind in found.counts]
    expected = [one for of_kind in kept for one in of_kind] if of_each_kind else noted[:most]
    assert sorted(found.kept) == sorted(expected)


@pytest.mark.parametrize(
    ("counts", "words"),
    [({}, "nothing to report"), ({"repeated": 1_200, "gap": 1}, "1,200 repeated, 1 gap")],
)
def test_counts_are_said_in_words(counts: dict[str, int], words: str) -> None:
    found = CountedFindings[str, str](1, of_each_kind=False)
    for kind, count in counts.items():
        found.note(kind, kind, count)
    assert str(found) == words
