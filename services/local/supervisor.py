"""Keep child processes running: prefixed output, restarts with back-off, a stop that leaves nothing behind."""

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

_FIRST_DELAY_S = 0.5
_LONGEST_DELAY_S = 10.0
_STEADY_S = 30.0
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Command:
    """What to run, and how to ask it to stop."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    user: str | None = None
    stop_signal: str = "SIGTERM"


class Child:
    """One supervised process: started again when it ends by itself, until ``stop``."""

    def __init__(self, command: Command, say: Callable[[str, str], None]) -> None:
        """`say` takes the name of the speaker and a line."""
        self.command = command
        self.restarts = 0
        self._say = say
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start the process and watch over it in the background."""
        self._task = asyncio.create_task(self._keep_running(), name=self.command.name)

    @property
    def pid(self) -> int | None:
        """The id of the running process, if there is one."""
        return self._process.pid if self._process and self._process.returncode is None else None

    async def watched(self) -> None:
        """Return once nobody watches over the process any more."""
        assert self._task is not None, "it is started"
        await asyncio.shield(self._task)

    async def stop(self, patience_s: float) -> None:
        """Ask the process to end; kill it and all it started if it has not ended after `patience_s`."""
        self._stopping.set()
        if self._task is None:
            return
        self._signal(signal.Signals[self.command.stop_signal])
        done, _ = await asyncio.wait([self._task], timeout=patience_s)
        if not done:
            self._say(self.command.name, f"did not stop in {patience_s:g} s: killed")
            self._signal(signal.SIGKILL)
        await self._task

    async def _keep_running(self) -> None:
        delay = _FIRST_DELAY_S
        loop = asyncio.get_running_loop()
        while not self._stopping.is_set():
            started = loop.time()
            try:
                code = await self._run_once()
            except OSError as error:
                self._say(self.command.name, f"cannot be started: {error}")
                code = error.errno or 1
            if self._stopping.is_set():
                return
            self.restarts += 1
            if loop.time() - started > _STEADY_S:
                delay = _FIRST_DELAY_S
            how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
            self._say(self.command.name, f"{how}; starting it again in {delay:g} s (restart {self.restarts})")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._stopping.wait()
            delay = min(2 * delay, _LONGEST_DELAY_S)

    async def _run_once(self) -> int:
        command = self.command
        self._process = await asyncio.create_subprocess_exec(
            *command.arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=dict(command.environment),
            user=command.user,
            start_new_session=True,
            preexec_fn=end_with_parent(signal.Signals[command.stop_signal]),
        )
        if self._stopping.is_set():  # asked to stop while it was being started
            self._signal(signal.Signals[command.stop_signal])
        assert self._process.stdout is not None
        # Not line by line: a line longer than the buffer would be an error.
        rest = b""
        while chunk := await self._process.stdout.read(1 << 16):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self._say(command.name, line.decode(errors="replace").rstrip())
        return await self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        if self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                if number == signal.SIGKILL:
                    os.killpg(self.pid, number)
                else:
                    self._process.send_signal(number)  # type: ignore[union-attr]


def end_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """Return what a child calls so that it ends even when this process is killed; only Linux has it."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    return lambda: libc.prctl(_PR_SET_PDEATHSIG, int(number))
