from hypothesis import given
from hypothesis import strategies as st

from services.stream_analytics.acknowledgement import InOrder


class Event:
    """An event that notes its own acknowledgement."""

    def __init__(self, number: int, acknowledged: list[int]) -> None:
        self._number = number
        self._acknowledged = acknowledged

    def ack(self) -> bool:
        self._acknowledged.append(self._number)
        return True


@given(st.permutations(range(8)))
def test_an_event_waits_for_all_before_it(order: list[int]) -> None:
    acknowledged: list[int] = []
    done: set[int] = set()
    held = InOrder()
    for number in range(8):
        held.hold(Event(number, acknowledged), lambda number=number: number in done)  # type: ignore[misc]
    for step, number in enumerate(order):
        done.add(number)
        held.hold(Event(8 + step, acknowledged), lambda: True)
        in_order = next((n for n in range(8) if n not in done), 8)
        assert [n for n in acknowledged if n < 8] == list(range(in_order))
    assert acknowledged == list(range(16))
    assert len(held) == 0
