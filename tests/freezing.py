"""Servers that keep their connections open, accept others, and answer nobody."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import psutil


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """Stop a process and all it has started, as a machine does that is suspended; they go on afterwards."""
    server = psutil.Process(pid)
    server.send_signal(signal.SIGSTOP)  # it starts no more
    children = server.children(recursive=True)
    for child in children:
        child.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for one in (*children, server):
            if one.is_running():
                one.send_signal(signal.SIGCONT)
