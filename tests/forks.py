"""Service processes by fork: one process has imported the service and forks another for each start without imports.

What a start by ``python -m services.<name>`` does besides, tests of single services and of pipelines prove.
"""

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from services.local.supervisor import end_with_parent

_MESSAGE_BYTES = 1 << 18
_LOOK_S = 0.02
# What a service imports only once its settings are right.
_LATER = {"stream_analytics": ("services.quant.single_core", "services.stream_analytics.faust.app")}
_one_at_a_time = threading.Lock()


class Forked:
    """A service's process like a ``Popen``: its parent waits for it and says how it has ended."""

    def __init__(self, service: str, environ: Mapping[str, str], log: Path) -> None:
        """`log` is a file that takes, at its end, what the process writes to stdout and stderr."""
        self.returncode: int | None = None
        self._service = service
        self.pid = int(_ask(service=service, environ=dict(environ), log=str(log)))

    def poll(self) -> int | None:
        """Return its exit code, negative for a signal, or None while it runs."""
        if self.returncode is None:
            self.returncode = _ask(pid=self.pid)
        return self.returncode

    def wait(self, timeout: float = 60) -> int:
        """Return its exit code once it has ended; TimeoutExpired if that takes longer."""
        deadline = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(self._service, timeout)
            time.sleep(_LOOK_S)
        return code

    def send_signal(self, signum: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, signum)

    def terminate(self) -> None:
        """End it as the supervisor does."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power cut does."""
        self.send_signal(signal.SIGKILL)


@cache
def _parent() -> socket.socket:
    """Start the process that forks, once in a run of tests; it and its children end with this one."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen([sys.executable, "-m", "tests.forks"], stdin=theirs.fileno())

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


def _ask(**request: Any) -> Any:
    with _one_at_a_time:
        parent = _parent()
        parent.send(json.dumps(request).encode())
        return json.loads(parent.recv(_MESSAGE_BYTES))


def _ended(pid: int) -> int | None:
    found, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None


def _imported(service: str) -> ModuleType:
    for name in _LATER.get(service, ()):
        import_module(name)
    return import_module(f"services.{service}.__main__")


def _serve(control: socket.socket) -> ModuleType | None:
    """Fork and tell until nobody asks any more; return, in a child, what it is to run."""
    tie = end_with_parent(signal.SIGKILL)
    while message := control.recv(_MESSAGE_BYTES):
        request = json.loads(message)
        if "pid" in request:
            control.send(json.dumps(_ended(request["pid"])).encode())
            continue
        service = _imported(request["service"])
        if (pid := os.fork()) == 0:
            if tie is not None:
                tie()
            os.environ.clear()
            os.environ.update(request["environ"])
            log = os.open(request["log"], os.O_WRONLY | os.O_APPEND)
            for stream in (sys.stdout, sys.stderr):
                os.dup2(log, stream.fileno())
            return service
        control.send(json.dumps(pid).encode())
    return None


if __name__ == "__main__":
    with socket.socket(fileno=os.dup(0)) as socket_of_tests:
        service_to_run = _serve(socket_of_tests)
    if service_to_run is not None:
        # As ``python -m`` has it: children of a service ask what its main module is.
        sys.modules["__main__"] = service_to_run
        service_to_run.main()
