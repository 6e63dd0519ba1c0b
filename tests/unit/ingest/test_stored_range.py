"""Ranges of stored ticks, as people write them."""

import pytest

from services.common.clock import HOUR
from services.common.errors import FatalError
from services.common.settings import load
from services.ingest.settings import IngestSettings
from services.ingest.stored_range import StoredRange

REPLAY = {"PAIRSTREAM_FEED": "replay"}
NOON_US = 1_769_860_800_000_000


def test_a_range_has_two_times_with_their_zones() -> None:
    variables = {**REPLAY, "PAIRSTREAM_REPLAY_STORE": "2026-01-31T12:00:00Z .. 2026-01-31T14:00:00+01:00"}
    assert load(IngestSettings, variables).replay_store == StoredRange(NOON_US, NOON_US + HOUR)


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "2026-01-31T12:00:00Z",
        "2026-01-31T12:00:00Z..",
        "2026-01-31T12:00:00..2026-01-31T13:00:00",
        "2026-01-31T13:00:00Z..2026-01-31T12:00:00Z",
        "2026-01-31T12:00:00Z..2026-01-31T13:00:00Z..2026-01-31T14:00:00Z",
    ],
)
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(
        FatalError, match=r"^PAIRSTREAM_REPLAY_STORE: expected START\.\.END, two times"
    ) as told:
        load(IngestSettings, {**REPLAY, "PAIRSTREAM_REPLAY_STORE": text})
    assert repr(text) in str(told.value)


def test_a_file_and_a_range_are_one_too_many() -> None:
    variables = {
        **REPLAY,
        "PAIRSTREAM_REPLAY_STORE": "2026-01-31T12:00:00Z..2026-01-31T13:00:00Z",
        "PAIRSTREAM_REPLAY_FILE": "frames.txt",
    }
    with pytest.raises(FatalError, match="received both"):
        load(IngestSettings, variables)
