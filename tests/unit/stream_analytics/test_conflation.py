from hypothesis import given
from hypothesis import strategies as st

from services.stream_analytics.conflation import Conflation

# Moments are whole milliseconds, so that no test depends on rounding.


def due(conflation: Conflation[str], now_s: float) -> list[str]:
    """Return every key whose time has come."""
    keys = []
    while (key := conflation.next_due(now_s)) is not None:
        keys.append(key)
    assert not conflation.is_due(now_s)
    return keys


moments = st.lists(st.tuples(st.integers(0, 50), st.sampled_from("ab"), st.booleans()), max_size=60)


@given(moments)
def test_a_key_speaks_once_an_interval_and_its_last_word_is_never_lost(
    offers: list[tuple[int, str, bool]],
) -> None:
    conflation: Conflation[str] = Conflation(10)
    spoken: dict[str, list[float]] = {"a": [], "b": []}
    offered: dict[str, float] = {}
    now = 0.0
    for step, key, out_of_turn in offers:
        for until in range(step):
            for one in due(conflation, now + until):
                spoken[one].append(now + until)
        now += step
        for one in due(conflation, now):
            spoken[one].append(now)
        offered[key] = now
        if out_of_turn:
            conflation.spoke(key, now)
            spoken[key].append(now)
        elif conflation.offer(key, now):
            assert not spoken[key] or now - spoken[key][-1] >= 10
            spoken[key].append(now)
    for later in range(1, 12):
        for one in due(conflation, now + later):
            assert now + later - spoken[one][-1] >= 10
            spoken[one].append(now + later)
    assert all(spoken[key][-1] >= moment for key, moment in offered.items())


def test_without_an_interval_everything_passes() -> None:
    conflation: Conflation[str] = Conflation(0)
    assert [conflation.offer("a", 1.0) for _ in range(3)] == [True] * 3


def test_who_is_held_is_due_later_even_if_it_could_speak() -> None:
    conflation: Conflation[str] = Conflation(10)
    conflation.hold("a", 5)
    assert due(conflation, 4) == []
    assert due(conflation, 5) == ["a"]
    assert due(conflation, 100) == []


def test_something_newer_goes_through_before_the_grace_is_over() -> None:
    conflation: Conflation[str] = Conflation(10, grace_s=3)
    assert conflation.offer("a", 0)
    assert not conflation.offer("a", 6)
    assert due(conflation, 12) == []
    assert conflation.offer("a", 12)
    assert not conflation.offer("a", 13)
    assert due(conflation, 24) == []
    assert due(conflation, 25.5) == ["a"]
