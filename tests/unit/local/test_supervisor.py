import asyncio
import os
import signal
import sys
from collections.abc import Callable

import pytest

from services.local.supervisor import Child, Command

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


def python(code: str) -> Command:
    return Command("child", [sys.executable, "-uc", code], dict(os.environ))


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


async def _delays_double() -> None:
    ears = Ears()
    child = Child(python("raise SystemExit(3)"), ears)
    child.start()
    await ears.until_said("ended with exit code 3; starting it again in 0.5 s")
    await ears.until_said("ended with exit code 3; starting it again in 1 s")
    await child.stop(5)


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
    [_a_killed_child_comes_back, _delays_double, _a_deaf_child_and_what_it_started_are_killed],
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
