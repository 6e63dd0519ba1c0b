from prometheus_client import generate_latest

from services.common.heartbeat import HeartbeatState
from services.stream_analytics.metrics import STAGES, StreamMetrics


def test_counters_gauges_and_stages_are_said_by_name() -> None:
    heartbeat = HeartbeatState("stream_analytics")
    heartbeat.counters |= {"ticks": 5, "late": 1, "pairs": 2}
    metrics = StreamMetrics(heartbeat, {"lag_messages": lambda: 7, "recovery_seconds": lambda: None})
    for stage in STAGES:
        metrics.took[stage](0.003)
    heartbeat.counters["ticks"] = 6
    said = generate_latest(metrics.registry).decode()
    for line in (
        "pairstream_stream_ticks_total 6.0",
        "pairstream_stream_late_total 1.0",
        "pairstream_stream_pairs 2.0",
        "pairstream_stream_lag_messages 7.0",
        'pairstream_stream_stage_seconds_bucket{le="0.005",stage="measure"} 1.0',
    ):
        assert line in said.splitlines()
    assert "recovery" not in said
