import socket
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from prometheus_client import CollectorRegistry, Counter, generate_latest

from services.common.errors import FatalError
from services.common.heartbeat import HeartbeatState
from services.common.metrics import HeartbeatMetrics, answering, published
from services.common.settings import MetricsSettings
from services.contracts.messages import DeliveryLag, Filling
from tests.ports import free_port


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


def test_a_service_tells_prometheus_what_its_heartbeat_says() -> None:
    heartbeat, settings = HeartbeatState("sink"), MetricsSettings(metrics_port=free_port())
    metrics = HeartbeatMetrics(heartbeat, {"lag_seconds": lambda: 0.5, "recovery_seconds": lambda: None})
    url = f"http://127.0.0.1:{settings.metrics_port}"
    with published(settings, heartbeat, metrics.registry):
        with pytest.raises(HTTPError, match="503") as starting:
            urlopen(f"{url}/healthz", timeout=5)
        starting.value.close()
        # Services replace their counters when they begin.
        heartbeat.counters, heartbeat.lag_messages, heartbeat.state = {"ticks": 3}, 7, "running"
        assert urlopen(f"{url}/healthz", timeout=5).status == 200
        told = urlopen(f"{url}/metrics", timeout=5).read().decode().splitlines()
    values = [line for line in told if not line.startswith("#")]
    assert values == [
        "pairstream_sink_ticks_total 3.0",
        "pairstream_sink_lag_messages 7.0",
        "pairstream_sink_lag_seconds 0.5",
    ]


def test_what_is_filled_and_what_was_lost_is_told_while_there_is_any() -> None:
    heartbeat = HeartbeatState("ingest")
    registry = HeartbeatMetrics(heartbeat).registry
    assert generate_latest(registry) == b""
    heartbeat.filling = Filling(340.5, 900.0)
    heartbeat.outrun("ticks", 0, 1000)
    heartbeat.outrun("ticks", 3, 234)
    heartbeat.outrun("signals", 1, 5)
    told = generate_latest(registry).decode().splitlines()
    assert [line for line in told if not line.startswith("#")] == [
        "pairstream_ingest_filling_done_seconds 340.5",
        "pairstream_ingest_filling_total_seconds 900.0",
        'pairstream_ingest_lost_messages_total{topic="ticks"} 1234.0',
        'pairstream_ingest_lost_messages_total{topic="signals"} 5.0',
    ]
    heartbeat.filling = None
    assert b"filling" not in generate_latest(registry)


def test_the_delivery_lag_is_told_by_symbol_and_quantile() -> None:
    heartbeat = HeartbeatState("ingest")
    registry = HeartbeatMetrics(heartbeat).registry
    heartbeat.delivery = {"BTCUSDT": DeliveryLag(90, 80, 250), "BYUSDT": DeliveryLag(5_100, 5_000, 6_012)}
    told = generate_latest(registry).decode().splitlines()
    assert [line for line in told if not line.startswith("#")] == [
        'pairstream_delivery_lag_seconds{quantile="0.5",symbol="BTCUSDT"} 0.08',
        'pairstream_delivery_lag_seconds{quantile="0.99",symbol="BTCUSDT"} 0.25',
        'pairstream_delivery_lag_seconds{quantile="0.5",symbol="BYUSDT"} 5.0',
        'pairstream_delivery_lag_seconds{quantile="0.99",symbol="BYUSDT"} 6.012',
    ]


def test_without_a_port_nobody_listens() -> None:
    with published(MetricsSettings(), HeartbeatState("sink"), CollectorRegistry()):
        pass
