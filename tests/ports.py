"""Ports of this machine for servers under test."""

import random
import socket
from contextlib import suppress

# Below those that systems give to connections, which could take one before its server starts.
FIRST, LAST = 10_000, 32_000


def free_port() -> int:
    """Return a port that was free a moment ago."""
    while True:
        port = random.SystemRandom().randrange(FIRST, LAST)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
