"""``python -m tests.soak.broker``: the embedded broker as a process; prints its address, ends with its input."""

import sys

from services.local.embedded_broker import EmbeddedBroker

if __name__ == "__main__":
    broker = EmbeddedBroker()
    sys.stdout.write(broker.servers + "\n")
    sys.stdout.flush()
    sys.stdin.read()
