import pytest

from services.contracts.messages import TapeEvent, TapeEventKind
from services.sink.gaps import row


def event(kind: TapeEventKind, missing: int | None = None, first_id: int | None = 10) -> TapeEvent:
    return TapeEvent(
        kind=kind, venue="v", symbol="S", at_us=1, first_id=first_id, last_id=19, missing=missing
    )


@pytest.mark.parametrize(
    ("kind", "state", "missing"),
    [
        ("gap_found", "found", 10),
        ("gap_unrepaired", "unrepaired", 10),
        ("gap_refuted", "refuted", 0),
        ("gap_repaired", "repaired", 0),
    ],
)
def test_the_kind_gives_the_state_and_what_is_missing_unless_the_event_says(
    kind: TapeEventKind, state: str, missing: int
) -> None:
    assert row(event(kind))[8:10] == (state, missing)
    assert row(event(kind, missing=3))[9] == 3


def test_what_an_event_does_not_say_is_null() -> None:
    columns = row(event("gap_found", first_id=None))
    assert (columns[1], columns[4], columns[5], columns[9]) == (None, None, None, None)
