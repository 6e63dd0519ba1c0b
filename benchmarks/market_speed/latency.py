"""Case `latency`: from a tick to the signal and to the alert that it gives rise to, at 1,000 ticks/s."""

import time
from collections.abc import Iterator

from benchmarks.market_speed.options import Options
from benchmarks.market_speed.result import Result, of_two, spread
from benchmarks.market_speed.running import Measured, NotReadyError, running
from benchmarks.market_speed.steady import PER_SECOND, Heard, Load, known, listening
from benchmarks.up import directory
from services.common.clock import SECOND

_LOOK_S = 0.1
_PATIENCE_S = 60.0
# Thresholds that are crossed often: for a 99th percentile it takes many alerts.
_ENVIRON = {"PAIRSTREAM_ENTRY_Z": "0.6", "PAIRSTREAM_EXIT_Z": "0.5"}


def latency(options: Options) -> Iterator[Result]:
    """Replay 10 pairs of 10 symbols at the speed of the tape."""
    with directory() as place:
        load = Load(place, 10, 10, options.seconds)
        try:
            with running(*load.flags, environ=_ENVIRON) as measured, listening(measured.up.brokers) as heard:
                result = _measure(measured, heard, load)
        except NotReadyError as error:
            yield Result("latency", "not ready", problems=[str(error)])
            return
    result.problems += measured.aftermath
    yield result


def until(measured: Measured, heard: Heard, event_us: int) -> None:
    """Wait until the tape has come to a moment; AssertionError if it does not."""
    limit, newest_us = time.monotonic() + _PATIENCE_S, 0
    while heard.newest_us < event_us:
        measured.check()
        if heard.newest_us > newest_us:
            limit, newest_us = time.monotonic() + _PATIENCE_S, heard.newest_us
        assert time.monotonic() < limit, f"the tape stood still for {_PATIENCE_S:.0f} s"
        time.sleep(_LOOK_S)


def _measure(measured: Measured, heard: Heard, load: Load) -> Result:
    until(measured, heard, load.start_us)
    with measured.window() as window:
        until(measured, heard, load.end_us - SECOND)
    within = range(load.start_us, load.end_us - SECOND)
    signals, moments = list(heard.signals), load.moments
    live = [heard.since(one.event_us, at) for one, at in signals if not one.closed and one.event_us in within]
    alerts = [(alert, at) for alert, at in list(heard.alerts) if alert.event_us in within]
    # An alert of a closed second follows from the trade that ends it, and judges the newest one before.
    ending = [
        heard.since(
            alert.event_us
            if alert.event_us in heard.published
            else moments.closed_by(alert.pair, alert.event_us),
            at,
        )
        for alert, at in alerts
    ]
    newest = [heard.since(moments.newest_before(one.pair, one.event_us), at) for one, at in alerts]
    lags = measured.heartbeats.lags(window.start_us, window.end_us)
    figures = {
        "rate": PER_SECOND,
        "pairs": len(load.pairs),
        "tick_to_live_signal_ms": spread(known(live)),
        "tick_to_alert_ms": spread(known(ending)),
        "newest_judged_tick_to_alert_ms": spread(known(newest)),
        **window.record(),
        "lag": lags,
        "lost": measured.heartbeats.lost(),
        "late": measured.heartbeats.late(),
    }
    line = (
        f"tick to live signal {of_two(figures['tick_to_live_signal_ms'])}; "
        f"tick to alert {of_two(figures['tick_to_alert_ms'])}; {window.words()}"
    )
    return Result("latency", line, figures, measured.problems())
