"""Outages of a broker: frozen, or killed and started again."""

import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import psutil

from tests.brokers.kafka import Broker
from tests.waiting import wait_until

Outage = Callable[[Broker], AbstractContextManager[None]]


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """Stop a process and all it has started, as a machine does that is suspended; they go on afterwards.

    It keeps its connections open, the kernel accepts others for it, and nobody is answered.
    """
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


def frozen_broker(broker: Broker) -> AbstractContextManager[None]:
    """Have a broker answer nobody."""
    return frozen(broker.pid)


@contextmanager
def killed_broker(broker: Broker) -> Iterator[None]:
    """Have a broker die as in a power cut, and be started again."""
    broker.kill()
    try:
        yield
    finally:
        broker.start()
    wait_until(broker.listens, "the broker is back")


OUTAGES = (killed_broker, frozen_broker)
