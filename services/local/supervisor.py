"""Supervisor of child processes: prefixed output, restarts with back-off, a stop that leaves no process."""

import asyncio
import contextlib
import ctypes
import os
import re
import signal
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from services.common.backoff import Backoff

_FIRST_DELAY_S = 0.5
_LONGEST_DELAY_S = 10.0
# A process that has run for this long has started well.
_STEADY_S = 30.0
_REMEMBERED = 1_000
# A process ended by a signal had no fault of its own, so its next run may print the same as before.
_BY_OTHERS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
_AGAIN = "ended the same way again; restarts become less frequent, and are not logged until that changes"
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class ServiceCommand:
    """Command that starts a service, and the way to ask it to stop."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    user: str | None = None
    stop_signal: str = "SIGTERM"
    # Reason of its end, from its last lines.
    why: Callable[[Sequence[str]], str] = lambda lines: lines[-1] if lines else ""


class Child:
    """One supervised process: started again when it ends by itself, until ``stop``.

    What a run says again that ended at once, and that it ended for the same reason again, is not repeated.
    """

    def __init__(self, command: ServiceCommand, say: Callable[[str, str], None]) -> None:
        """`say` takes the name of the service and a line."""
        self.command = command
        self.restarts = 0
        self.reason = ""
        """End of the last run with its reason; empty while no run has ended."""
        self._log_line = say
        self._words: deque[str] = deque(maxlen=20)
        self._heard: set[str] = set()
        self._known: set[str] = set()
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
        """Return once the process is no longer supervised."""
        assert self._task is not None, "it is started"
        await asyncio.shield(self._task)

    async def stop(self, patience_s: float) -> None:
        """Ask the process to end; kill it and all it started if it has not ended after `patience_s`."""
        self._stopping.set()
        if self._task is None:
            return
        if self.pid is None and self.reason:
            self._log_line(self.command.name, f"was not running in the end: it {self.reason}")
        self._signal(signal.Signals[self.command.stop_signal])
        done, _ = await asyncio.wait([self._task], timeout=patience_s)
        if not done:
            self._log_line(self.command.name, f"did not stop in {patience_s:g} s: killed")
            self._signal(signal.SIGKILL)
        await self._task

    async def _keep_running(self) -> None:
        # Nobody else comes back at the same instant.
        backoff = Backoff(_FIRST_DELAY_S, _LONGEST_DELAY_S, jitter=lambda: 1.0)
        loop = asyncio.get_running_loop()
        while not self._stopping.is_set():
            started = loop.time()
            steady = loop.call_later(_STEADY_S, self._steady)
            try:
                code = await self._run_once()
            except OSError as error:
                self._hear(f"cannot be started: {error}")
                code = error.errno or 1
            finally:
                steady.cancel()
            if self._stopping.is_set():
                return
            self.restarts += 1
            if loop.time() - started > _STEADY_S:
                backoff.reset()
            delay = backoff.next_s()
            self._tell_end(code, delay)
            await self._rest(delay)

    async def _rest(self, delay_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(delay_s):
                await self._stopping.wait()

    def _hear(self, line: str) -> None:
        """Pass on the process's output, unless a run that ended at once printed the same before."""
        if line:
            self._words.append(line)
        shape = _shape(line)
        if shape not in self._known:
            self._log_line(self.command.name, line)
        if len(self._heard) < _REMEMBERED:
            self._heard.add(shape)

    def _tell_end(self, code: int, delay: float) -> None:
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        why = self.command.why(self._words)
        before, self.reason = self.reason, f"{how}: {why}" if why else how
        if not self._known or _shape(before) != _shape(self.reason):
            self._log_line(
                self.command.name, f"{how}; starting it again in {delay:g} s (restart {self.restarts})"
            )
        else:
            if _AGAIN not in self._known:
                self._log_line(self.command.name, _AGAIN)
            self._heard.add(_AGAIN)
        self._known = set() if -code in _BY_OTHERS else self._heard
        self._heard = set()

    def _steady(self) -> None:
        if self._known:
            self._log_line(self.command.name, f"runs again (restart {self.restarts})")
        self._known, self._heard = set(), set()

    async def _run_once(self) -> int:
        command = self.command
        self._words.clear()
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
                self._hear(line.decode(errors="replace").rstrip())
        return await self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        if self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                if number == signal.SIGKILL:
                    os.killpg(self.pid, number)
                else:
                    self._process.send_signal(number)  # type: ignore[union-attr]


def _shape(line: str) -> str:
    """Return what a line has in common with another that says the same at another time."""
    return re.sub(r"[0-9]+", "0", line)


def end_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """Return what a child calls so that it ends even when this process is killed; only Linux has it."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    return lambda: libc.prctl(_PR_SET_PDEATHSIG, int(number))
