"""Spans of ids."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.feeds.archive import id_spans
from services.ingest.feeds.archive.id_spans import IdSpans

PARTS = st.lists(st.sets(st.integers(0, 60), min_size=1), min_size=1, max_size=8)


@given(PARTS)
@settings(max_examples=200)
def test_they_are_what_a_set_would_be(parts: list[set[int]]) -> None:
    spans, known = IdSpans(), set[int]()
    everything = np.arange(70)
    for part in parts:
        spans.add(np.array(sorted(part - known), np.int64))
        known |= part
        assert set(everything[spans.has(everything)].tolist()) == known
        gaps = sum(one + 1 not in known for one in known) - 1
        assert spans.missing() == (max(known) - min(known) + 1 - len(known), gaps)


def test_what_is_forgotten_is_not_known_but_still_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(id_spans, "_MOST_SPANS", 10)
    spans = IdSpans()
    for first in range(0, 3_000, 30):
        spans.add(np.arange(first, first + 30, 3))
    assert spans.missing() == (2 * 999, 999)
    assert spans.has(np.array([0, 300, 2_997])).tolist() == [False, False, True]
    spans.add(np.array([0, 2_996]))
    assert spans.missing() == (2 * 999 - 1, 999)
    assert len(spans._firsts) <= 10
