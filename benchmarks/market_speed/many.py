"""Case `many`: 1,000 pairs over 50 symbols at 1,000 ticks/s, through the whole pipeline on the embedded broker."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.market_speed.latency import until
from benchmarks.market_speed.options import Options
from benchmarks.market_speed.result import Result, of_two, spread
from benchmarks.market_speed.running import Measured, NotReadyError, running
from benchmarks.market_speed.steady import PER_SECOND, Heard, Load, closed_count, known, listening
from benchmarks.up import directory
from services.common import clock
from services.common.clock import SECOND

_SYMBOLS, _PAIRS = 50, 1_000
_SAMPLE_S = 1.0
# Later than this a close is not in time: the next one is due.
_IN_TIME_MS = 1_000
# The last closes are still on their way when the window ends.
_TAIL_US = 3 * SECOND


def many(options: Options) -> Iterator[Result]:
    """Replay 1,000 pairs of 50 symbols at the speed of the tape."""
    with directory() as place:
        load = Load(place, _SYMBOLS, _PAIRS, options.seconds)
        try:
            with running(*load.flags) as measured, listening(measured.up.brokers) as heard:
                result = _measure(measured, heard, load)
        except NotReadyError as error:
            yield Result("many", "not ready", problems=[str(error)])
            return
    result.problems += measured.aftermath
    yield result


Ages = list[tuple[int, dict[str, int]]]


@contextmanager
def _sampled(heard: Heard) -> Iterator[Ages]:
    """Note once a second which trade the latest live signal of each pair knows."""
    samples: Ages = []
    ending = threading.Event()

    def sample() -> None:
        while not ending.wait(_SAMPLE_S):
            samples.append((clock.now_us(), dict(heard.live)))

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield samples
    finally:
        ending.set()
        thread.join()


def _measure(measured: Measured, heard: Heard, load: Load) -> Result:
    until(measured, heard, load.start_us)
    with measured.window() as window, _sampled(heard) as samples:
        until(measured, heard, load.end_us - SECOND)
    signals, moments = list(heard.signals), load.moments
    first_us, last_us = load.start_us, load.end_us - _TAIL_US
    closed = [(one, at) for one, at in signals if one.closed and first_us < one.event_us <= last_us]
    # The tape's time is the time at which ingest publishes it.
    delays = known([heard.since(moments.reached(one.event_us), at) for one, at in closed])
    after_trade = known([heard.since(moments.closed_by(one.pair, one.event_us), at) for one, at in closed])
    counts = closed_count(signals, first_us, last_us)
    due = len(load.pairs) * ((last_us - first_us) // SECOND)
    live = sum(not one.closed and first_us < one.event_us <= last_us for one, _ in signals)
    ages = known([heard.since(event_us, at) for at, latest in samples for event_us in latest.values()])
    lags = measured.heartbeats.lags(window.start_us, window.end_us)
    figures = {
        "rate": PER_SECOND,
        "pairs": len(load.pairs),
        "closes_due": due,
        "closes_come": sum(counts.values()),
        "closes_in_time": sum(one <= _IN_TIME_MS for one in delays),
        "close_after_its_second_ms": spread(delays),
        "close_after_the_trade_that_ends_it_ms": spread(after_trade),
        "live_signals_per_s": round(live * SECOND / (last_us - first_us)),
        "age_of_the_latest_live_signal_ms": spread(ages),
        "pairs_with_a_live_signal": len(heard.live),
        **window.record(),
        "lag": lags,
        "lost": measured.heartbeats.lost(),
        "late": measured.heartbeats.late(),
    }
    problems = measured.problems()
    if missing := due - figures["closes_come"]:
        problems.append(f"{missing:,} of {due:,} closed signals did not come")
    if slow := len(delays) - figures["closes_in_time"]:
        problems.append(
            f"{slow:,} of {due:,} closed signals came later than {_IN_TIME_MS} ms after their second"
        )
    problems += [f"{service} falls behind" for service, lag in lags.items() if not lag["is_flat"]]
    line = (
        f"closes {of_two(figures['close_after_its_second_ms'])} after their second; live signals "
        f"{figures['live_signals_per_s']:,}/s, age {of_two(figures['age_of_the_latest_live_signal_ms'])}; "
        f"{window.words()}"
    )
    return Result("many", line, figures, problems)
