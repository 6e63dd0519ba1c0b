"""Progress of a long command: a bar on a terminal, else a plain line every few seconds."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

_LINE_EVERY_S = 10.0

Show = Callable[[float, str], None]
"""Takes how much is done, in the unit of the total, and the figures to show beside it."""


@contextmanager
def progress(
    what: str,
    total: float | None = None,
    console: Console | None = None,
    now_s: Callable[[], float] = time.monotonic,
) -> Iterator[Show]:
    """Yield what shows the progress of `what`, on standard error; without a `total` there is no end to come to."""
    console = console or Console(stderr=True)
    yield from _bar(what, total, console) if console.is_terminal else _lines(what, total, console, now_s)


def _bar(what: str, total: float | None, console: Console) -> Iterator[Show]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[figures]}", markup=False),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(what, total=total, figures="")
        yield lambda done, figures: bar.update(task, completed=done, figures=figures)


def _lines(what: str, total: float | None, console: Console, now_s: Callable[[], float]) -> Iterator[Show]:
    said_s = now_s()

    def show(done: float, figures: str) -> None:
        nonlocal said_s
        if now_s() - said_s >= _LINE_EVERY_S:
            said_s = now_s()
            share = f" {min(done / total, 1):.0%}" if total else ""
            console.print(f"{what}{share}: {figures}", markup=False, highlight=False, soft_wrap=True)

    yield show
