import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from services.local import supervisor
from services.local.supervisor import Child, ServiceCommand

DEADLINE_S = 10.0


class Ears:
    """Hears what is said, and waits for a word."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, name: str, line: str) -> None:
        self.lines.append(f"{name}: {line}")

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while not condition():  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def until_said(self, text: str) -> None:
        await self.until(lambda: any(text in line for line in self.lines))


def python(code: str) -> ServiceCommand:
    return ServiceCommand("child", [sys.executable, "-uc", code], dict(os.environ))


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def _a_killed_child_comes_back() -> None:
    ears = Ears()
    child = Child(python("print('hello'); input = __import__('time').sleep(60)"), ears)
    child.start()
    await ears.until_said("hello")
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    await ears.until_said("killed by SIGKILL; starting it again in 0.5 s (restart 1)")
    await ears.until(lambda: sum("hello" in line for line in ears.lines) == 2)
    await child.stop(5)
    assert child.pid is None


def failing(directory: Path, *reasons: str) -> ServiceCommand:
    """Return a child that says the hour, then a reason, the next one at each run, and ends; the last one stays."""
    code = (
        "import pathlib, sys, time\n"
        f"path, reasons = pathlib.Path({str(directory)!r}, 'runs'), {reasons!r}\n"
        "path.open('a').write('.')\n"
        "print(f'it is {time.time()}')\n"
        "sys.exit(reasons[min(len(path.read_text()), len(reasons)) - 1])\n"
    )
    return python(code)


def delays(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Have a child started again at once, and return how long it would have been waited for."""
    waited: list[float] = []

    async def noted(_: Child, delay_s: float) -> None:
        waited.append(delay_s)
        await asyncio.sleep(0.001)

    monkeypatch.setattr(Child, "_rest", noted)
    return waited


def test_what_ends_at_once_for_the_same_reason_says_it_once_and_is_started_less_and_less_often(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited = delays(monkeypatch)

    async def scene() -> None:
        ears = Ears()
        child = Child(failing(tmp_path, "no database"), ears)
        child.start()
        await ears.until(lambda: len(waited) >= 7)
        await child.stop(5)
        hour, *lines = ears.lines
        assert hour.startswith("child: it is ")
        assert lines[:3] == [
            "child: no database",
            "child: ended with exit code 1; starting it again in 0.5 s (restart 1)",
            "child: ended the same way again; restarts become less frequent,"
            " and are not logged until that changes",
        ]
        assert lines[3:] in (
            [],
            ["child: was not running in the end: it ended with exit code 1: no database"],
        )
        assert child.reason == "ended with exit code 1: no database"

    asyncio.run(scene())
    assert waited[:7] == [0.5, 1, 2, 4, 8, 10, 10]


def test_what_ends_itself_by_a_signal_has_a_reason_too(monkeypatch: pytest.MonkeyPatch) -> None:
    waited = delays(monkeypatch)

    async def scene() -> None:
        ears = Ears()
        child = Child(python("import os; print('a block is lost'); os.abort()"), ears)
        child.start()
        await ears.until(lambda: len(waited) >= 3)
        await child.stop(5)
        assert ears.lines[:2] == [
            "child: a block is lost",
            "child: killed by SIGABRT; starting it again in 0.5 s (restart 1)",
        ]
        assert ears.lines[2].startswith("child: ended the same way again")
        assert child.reason == "killed by SIGABRT: a block is lost"

    asyncio.run(scene())


def test_another_reason_is_said_and_so_is_the_first_when_it_comes_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited = delays(monkeypatch)

    async def scene() -> None:
        ears = Ears()
        child = Child(failing(tmp_path, "no database", "no broker", "no broker", "no database"), ears)
        child.start()
        await ears.until(lambda: len(waited) >= 5)
        await child.stop(5)
        reasons = [line for line in ears.lines if line.startswith("child: no ")]
        assert reasons == ["child: no database", "child: no broker", "child: no database"]
        ends = [line.partition("(")[2] for line in ears.lines if "starting it again" in line]
        assert ends == ["restart 1)", "restart 2)", "restart 4)"]

    asyncio.run(scene())


def test_a_child_that_stays_says_that_it_runs_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    delays(monkeypatch)
    monkeypatch.setattr(supervisor, "_STEADY_S", 1.0)

    async def scene() -> None:
        ears = Ears()
        code = (
            f"import pathlib, time; path = pathlib.Path({str(tmp_path)!r}, 'runs')\n"
            "if not path.exists(): path.touch(); raise SystemExit('not yet')\n"
            "time.sleep(60)"
        )
        child = Child(python(code), ears)
        child.start()
        await ears.until_said("child: runs again (restart 1)")
        await child.stop(5)

    asyncio.run(scene())


def test_after_a_long_run_the_next_start_is_soon_again(monkeypatch: pytest.MonkeyPatch) -> None:
    waited = delays(monkeypatch)
    monkeypatch.setattr(supervisor, "_STEADY_S", 0.0)

    async def scene() -> None:
        ears = Ears()
        child = Child(python(""), ears)
        child.start()
        await ears.until(lambda: len(waited) >= 3)
        await child.stop(5)

    asyncio.run(scene())
    assert waited[:3] == [0.5, 0.5, 0.5]


async def _a_deaf_child_and_what_it_started_are_killed() -> None:
    ears = Ears()
    code = (
        "import signal, subprocess, sys\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "grandchild = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print('grandchild', grandchild.pid)\n"
        "grandchild.wait()\n"
    )
    child = Child(python(code), ears)
    child.start()
    await ears.until_said("grandchild")
    grandchild = int(ears.lines[-1].split()[-1])
    await child.stop(0.2)
    assert "child: did not stop in 0.2 s: killed" in ears.lines
    await ears.until(lambda: not is_alive(grandchild))


@pytest.mark.parametrize(
    "scene",
    [_a_killed_child_comes_back, _a_deaf_child_and_what_it_started_are_killed],
    ids=lambda scene: scene.__name__.strip("_"),
)
def test_supervision(scene: Callable[[], "asyncio.Future[None]"]) -> None:
    asyncio.run(scene())  # type: ignore[arg-type]


def test_who_watches_over_a_child_is_watched_too(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(_: Child) -> int:
        raise ValueError

    async def scene() -> None:
        monkeypatch.setattr(Child, "_run_once", fail)
        child = Child(python(""), Ears())
        child.start()
        async with asyncio.timeout(DEADLINE_S):
            with pytest.raises(ValueError):  # noqa: PT011
                await child.watched()

    asyncio.run(scene())
