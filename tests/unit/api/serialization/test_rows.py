"""Records by column equal the same records by row."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.api.models.market import Tick
from services.api.serialization.rows import JsonRecords, encode, message_row, row
from services.api.time_parameters import LATEST_US
from tests.unit.api.stream.stream_messages import tick

MOMENTS = st.integers(0, LATEST_US)
FIELDS = st.builds(
    lambda *values: dict(zip(("pair", "event_us", "seen_us", "zscore"), values, strict=True)),
    *(st.text(), MOMENTS, st.none() | MOMENTS, st.none() | st.floats()),
)


@given(st.lists(FIELDS, min_size=1))
def test_columns_say_what_rows_say(fields: list[dict[str, Any]]) -> None:
    rows = [row(one.items()) for one in fields]
    records = JsonRecords.timed({name: [one[name] for one in fields] for name in fields[0]})
    assert len(records) == len(rows)
    assert encode(records.rows()) == encode(JsonRecords.of(rows).rows()) == encode(rows)
    assert json.loads(records.encoded()) == json.loads(encode(rows))
    assert records[1:-1].encoded() == JsonRecords.of(rows[1:-1]).encoded()


def test_a_tick_is_answered_with_the_fields_that_are_stored() -> None:
    assert message_row(tick("A", 7)).keys() == Tick.model_fields.keys()


def test_without_a_row_there_is_an_empty_array() -> None:
    assert (len(JsonRecords.of([])), JsonRecords.of([]).encoded()) == (0, b"[]")
    assert JsonRecords.timed({"event_us": []}).rows() == []
