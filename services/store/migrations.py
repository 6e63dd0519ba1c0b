"""Revisions of the schema as Alembic runs them: one for each file in schemas/sql, in the order of their numbers."""

from collections.abc import Callable, Collection, Sequence
from types import ModuleType

from alembic.runtime.migration import RevisionStep
from alembic.script.base import Script
from alembic.script.revision import RevisionMap


def steps(
    names: Sequence[str], extended: Collection[str], after: str | None, run: Callable[[str], object]
) -> list[RevisionStep]:
    """Return what Alembic does to come from the revision `after`, None if there is none, to the last of `names`.

    Names begin with their revision, the oldest first; `run` is called with each in its turn, and behind one that is
    `extended` with that of TimescaleDB's part.
    """
    files = ([name, *([f"timescaledb/{name}"] if name in extended else [])] for name in names)
    scripts = [_script(own, before, run) for before, own in zip(["", *names], files, strict=False)]
    known = RevisionMap(lambda: scripts)
    missing = set(known.iterate_revisions("heads", after))
    return [RevisionStep(known, one, True) for one in scripts if one in missing]


def _script(files: Sequence[str], before: str, run: Callable[[str], object]) -> Script:
    # Alembic would read this from a file of Python for each revision.
    module = ModuleType(files[0])
    down = _number(before) or None
    vars(module).update(down_revision=down, upgrade=lambda: [run(file) for file in files])
    return Script(module, _number(files[0]), files[0])


def _number(name: str) -> str:
    return name.partition("_")[0]
