"""Services by the states of their processes."""

import pytest

from services.ui.state.service_states import has_only_lost, partly_silent
from tests.unit.ui.conftest import Make


@pytest.mark.parametrize(
    ("states", "said"),
    [
        (("running", "running"), ""),
        (("running", "silent"), "1 of 2 silent"),
        (("silent", "silent"), ""),
        ((), ""),
    ],
)
def test_silence_of_a_part_is_told(states: tuple[str, ...], said: str, service: Make, process: Make) -> None:
    assert partly_silent(service(instances=tuple(process(state=state) for state in states))) == said


@pytest.mark.parametrize(
    ("lost", "healthy", "only"), [({"ticks": 1}, True, True), ({"ticks": 1}, False, False), ({}, True, False)]
)
def test_a_loss_alone_is_told_from_what_is_wrong(
    lost: dict[str, int], healthy: bool, only: bool, service: Make, process: Make
) -> None:
    instances = (process(), process(healthy=healthy))
    assert has_only_lost(service(unacknowledged=lost, instances=instances)) is only
    assert not has_only_lost(service(unacknowledged=lost))
