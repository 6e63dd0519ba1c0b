"""Readers outrun on the embedded broker, by a replay at full speed and by kills: none loses a message."""

import os
import random
import signal
from functools import partial
from pathlib import Path

import pytest

from services.common.clock import SECOND
from services.common.codec import encode
from services.contracts.messages import PairConfig
from services.local.embedded_broker import KEEPS_BYTES
from tests.analytics import outcomes, walk
from tests.pipeline import Pipeline, pipeline

pytestmark = [pytest.mark.integration, pytest.mark.timeout(280)]

START_US = 1_767_225_600_000_000
PAIR = "ETHUSDT-BTCUSDT"
_NUMBERS = ("y_price", "x_price", "hedge_ratio", "intercept", "spread", "zscore", "correlation")


def lost(running: Pipeline) -> dict[str, int]:
    """Return what any service says it could not read."""
    return {topic: count for row in running.services().values() for topic, count in row["lost"].items()}


def has_more(running: Pipeline, before: int) -> bool:
    """Tell whether more than so many ticks are stored."""
    return running.count("ticks") > before


def test_a_replay_as_fast_as_it_goes_gives_what_one_worker_gives_to_the_last_bit(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    # Half as much again as the broker keeps of a partition, as nothing is compressed.
    ticks = walk({"BTCUSDT": 60_000.0, "ETHUSDT": 3_000.0}, 100, START_US, 1_000, random.Random(3))
    assert sum(len(encode(tick)) for tick in ticks) > 2.5 * KEEPS_BYTES
    recording = tmp_path / "ticks.ndjson"
    recording.write_bytes(b"".join(encode(tick) + b"\n" for tick in ticks))
    said = [outcome.signal for outcome in outcomes(ticks, PairConfig(pair=PAIR))]
    flags = ("--feed", "replay", "--replay-file", recording, "--speed", "max", "--pairs", PAIR)
    with pipeline(tmp_path / "data", *flags, environ={"PAIRSTREAM_KAFKA_COMPRESSION": "none"}) as running:
        running.wait_until(lambda: running.count("ticks") == len(ticks), "every tick", within_s=120)
        running.wait_until(lambda: running.count("signals") == len(said), "every signal", within_s=60)
        assert lost(running) == {}
        columns = ", ".join(_NUMBERS)
        rows = running.rows(
            f"SELECT (extract(epoch FROM ts) * 1000000)::bigint, quality, {columns} FROM signals ORDER BY ts"  # noqa: S608
        )
        assert rows == [
            (one.event_us, one.quality, *(getattr(one, name) for name in _NUMBERS)) for one in said
        ]


@pytest.mark.long
def test_a_sink_that_is_killed_five_times_at_5000_ticks_a_second_ends_with_every_tick(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    environ = {"PAIRSTREAM_RATE": "5000", "PAIRSTREAM_HISTORY_S": "0"}
    with pipeline(tmp_path / "data", "--feed", "synthetic", environ=environ) as running:
        for _ in range(5):
            running.wait_until(partial(has_more, running, running.count("ticks")), "more ticks", within_s=60)
            os.kill(running.pid_of("sink"), signal.SIGKILL)
        killed_us = int(running.get("/v1/status")["now_us"]) + SECOND
        newest = "SELECT min(us) FROM (SELECT extract(epoch FROM max(ts)) * 1000000 AS us FROM ticks GROUP BY symbol)"
        running.wait_until(
            lambda: running.rows(newest)[0][0] > killed_us,
            "ticks of both symbols from after the last kill",
            within_s=90,
        )
        # Ids of the synthetic market are consecutive.
        missing = "SELECT symbol, max(trade_id) - min(trade_id) + 1 - count(*) FROM ticks WHERE ts < to_timestamp({})"
        gaps = running.rows(missing.format(killed_us / SECOND) + " GROUP BY symbol ORDER BY symbol")
        assert gaps == [("BTCUSDT", 0), ("ETHUSDT", 0)]
        assert lost(running) == {}
