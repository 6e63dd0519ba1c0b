"""Cursors: an own one is read back, any other text is refused."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.queries.bars import BARS
from services.api.queries.tables import ALERTS, TICKS
from services.api.serialization import cursor
from services.api.time_parameters import LATEST_US

MOMENTS = st.integers(0, LATEST_US)


@given(MOMENTS, st.integers(0, 2**63 - 1), st.text(st.characters(exclude_characters="\0", codec="utf-8")))
def test_the_key_comes_back(us: int, trade_id: int, alert_id: str) -> None:
    assert cursor.decode(cursor.encode((us, trade_id)), TICKS.cursor) == (us, trade_id)
    assert cursor.decode(cursor.encode((us, alert_id)), ALERTS.cursor) == (us, alert_id)
    assert cursor.decode(cursor.encode((us,)), BARS["1m"].cursor) == (us,)


@given(st.text())
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a next_cursor"):
        cursor.decode(text, TICKS.cursor)


@pytest.mark.parametrize(
    "key", [[1], [1, "a"], [1, 2, 3], [-1, 2], [LATEST_US + 1, 2], [1, 2**63], [1, None], {"a": 1}, 5]
)
def test_a_key_of_another_kind_is_refused(key: object) -> None:
    text = base64.urlsafe_b64encode(json.dumps(key).encode()).decode()
    with pytest.raises(ValueError, match="expected a next_cursor"):
        cursor.decode(text, TICKS.cursor)


def test_a_text_that_postgresql_cannot_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a next_cursor"):
        cursor.decode(cursor.encode((1, "a\0b")), ALERTS.cursor)
