from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.store.bars.timescale import TimeSpan, pieces

MOMENTS = st.integers(0, 100_000)
SPANS = st.lists(
    st.builds(lambda start, length: TimeSpan(start, start + length), MOMENTS, st.integers(1, 300)),
    max_size=900,
)


@given(spans=SPANS, below_us=st.integers(0, 10_000).map(lambda buckets: buckets * 10))
def test_pieces_cover_what_lies_below_and_are_whole_disjoint_and_few(
    spans: list[TimeSpan], below_us: int
) -> None:
    found = pieces(spans, 10, below_us)
    assert len(found) <= 500
    assert all(start % 10 == end % 10 == 0 and start < end <= below_us for start, end in found)
    assert all(following.start_us - one.end_us >= 50 for one, following in pairwise(found))
    for start, end in spans:
        end = min(end, below_us)
        assert start >= end or any(one.start_us <= start and end <= one.end_us for one in found)
    for one in found:
        assert any(one.start_us <= start < one.start_us + 10 for start, _ in spans)


def test_beyond_the_limit_the_nearest_become_one() -> None:
    spans = [TimeSpan(n * 1000, n * 1000 + 1) for n in range(600)] + [TimeSpan(10_000_000, 10_000_001)]
    found = pieces(spans, 1, 10**9)
    assert len(found) == 500
    assert found[-1] == spans[-1]
