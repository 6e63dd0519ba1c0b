"""The revisions of an upgrade: those that are missing, each once, in the order of their numbers."""

import pytest

from services.store.migrations import steps

NAMES = ["0001_initial.sql", "0002_tape.sql", "0003_store.sql"]


@pytest.mark.parametrize(
    ("after", "missing"), [(None, NAMES), ("0001", NAMES[1:]), ("0002", NAMES[2:]), ("0003", [])]
)
def test_an_upgrade_runs_what_is_missing(after: str | None, missing: list[str]) -> None:
    ran: list[str] = []
    for step in steps(NAMES, (), after, ran.append):
        step.migration_fn()
    assert ran == missing


def test_what_timescaledb_has_more_to_do_follows_its_revision() -> None:
    ran: list[str] = []
    for step in steps(NAMES, NAMES[1:2], None, ran.append):
        step.migration_fn()
    assert ran == [*NAMES[:2], f"timescaledb/{NAMES[1]}", NAMES[2]]


def test_each_revision_follows_the_one_before() -> None:
    found = steps(NAMES, (), None, print)
    assert [(one.to_revisions, one.from_revisions) for one in found] == [
        (("0001",), ()),
        (("0002",), ("0001",)),
        (("0003",), ("0002",)),
    ]
