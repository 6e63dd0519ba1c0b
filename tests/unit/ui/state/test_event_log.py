"""Event log for readers at their own pace."""

from hypothesis import given
from hypothesis import strategies as st

from services.ui.state.event_log import KEPT, EventLog


@given(st.lists(st.sampled_from("alr"), max_size=60))
def test_a_reader_gets_each_entry_once_or_is_told_that_some_are_not_known(steps: list[str]) -> None:
    journal: EventLog[int] = EventLog()
    said: list[int] = []
    read: list[int] = []
    heard, is_hole = 0, False
    for n, step in enumerate(steps):
        if step == "a":
            journal.add(n)
            said.append(n)
        elif step == "l":
            journal.lose()
            is_hole = True
        else:
            news = journal.after(heard)
            assert (news is None) == is_hole
            read = (
                [one for one in said if one not in journal.kept()] + journal.kept()
                if news is None
                else read + news
            )
            heard, is_hole = journal.count, False
    if steps and steps[-1] == "r":
        assert read == said


def test_the_oldest_go() -> None:
    journal: EventLog[int] = EventLog()
    for n in range(KEPT + 1):
        journal.add(n)
    assert journal.after(0) is None
    assert journal.after(1) == journal.kept() == list(range(1, KEPT + 1))
    assert journal.after(KEPT + 2) is None
