import socket
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from prometheus_client import CollectorRegistry, Counter

from services.common.errors import FatalError
from services.common.metrics import answering


def test_metrics_and_health_are_answered_until_the_block_ends() -> None:
    registry, healthy = CollectorRegistry(), [True, False]
    Counter("ticks", "Ticks read.", registry=registry).inc(3)
    with answering(registry, "127.0.0.1", 0, lambda: healthy.pop(0)) as url:
        assert b"ticks_total 3.0" in urlopen(f"{url}/metrics", timeout=5).read()
        assert urlopen(f"{url}/healthz", timeout=5).read() == b"ok\n"
        with pytest.raises(HTTPError, match="503") as refused:
            urlopen(f"{url}/healthz", timeout=5)
        refused.value.close()
    with pytest.raises(OSError, match="refused"):
        urlopen(f"{url}/healthz", timeout=5)


def test_a_port_in_use_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        refused = pytest.raises(
            FatalError, match=f"PAIRSTREAM_METRICS_PORT: expected a free port, received {port}"
        )
        with refused, answering(CollectorRegistry(), "127.0.0.1", port, bool):
            pass
