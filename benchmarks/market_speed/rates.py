"""Cases `rates` and `ready`: the whole pipeline on the synthetic market."""

from collections.abc import Iterator
from itertools import combinations

from benchmarks.market_speed.options import Options
from benchmarks.market_speed.result import Result
from benchmarks.market_speed.running import Measured, NotReadyError, Window, running

SYMBOLS = ("BTCUSDT", "ETHUSDT", "BNBUSDT", "SOLUSDT")
_PAIRS = [f"{y}-{x}" for x, y in combinations(SYMBOLS, 2)]
FLAGS = ["--feed", "synthetic", "--symbols", ",".join(SYMBOLS), "--pairs", ",".join(_PAIRS)]
_HISTORY_S = 60
_READY_RATE = 5_000


def rates(options: Options) -> Iterator[Result]:
    """Return, for each rate of the market, what it costs, whether it lags, and whether anything is lost."""
    for rate in options.rates:
        yield _at(rate, options)


def ready(_: Options) -> Iterator[Result]:
    """Return how soon the pipeline is ready at 5,000 ticks/s, with the history it plays unless told otherwise."""
    try:
        with running(*FLAGS, environ={"PAIRSTREAM_RATE": str(_READY_RATE)}) as measured:
            figures = {"ready_s": round(measured.ready_s, 2), "rate": _READY_RATE}
            result = Result("ready", f"ready after {measured.ready_s:.1f} s", figures, measured.problems())
    except NotReadyError as error:
        yield Result("ready", "not ready", {"rate": _READY_RATE}, [str(error)])
        return
    result.problems += measured.aftermath
    yield result


def _at(rate: float, options: Options) -> Result:
    case = f"rate-{rate:g}"
    environ = {"PAIRSTREAM_RATE": f"{rate:g}", "PAIRSTREAM_HISTORY_S": str(_HISTORY_S)}
    try:
        with running(*FLAGS, environ=environ) as measured:
            result = _measure(case, measured, options)
    except NotReadyError as error:
        return Result(case, "not ready", {"rate": rate}, [str(error)])
    result.problems += measured.aftermath
    result.figures["rate"] = rate
    return result


def _measure(case: str, measured: Measured, options: Options) -> Result:
    unsettled = measured.settle()
    with measured.window() as window:
        measured.rest(options.seconds)
    stored = measured.stored()
    lags = measured.heartbeats.lags(window.start_us, window.end_us)
    figures = {
        "ready_s": round(measured.ready_s, 1),
        **window.record(),
        "lag": lags,
        "stored": stored,
        "lost": measured.heartbeats.lost(),
        "unread": measured.heartbeats.unread(),
        "late": measured.heartbeats.late(),
    }
    problems = [*([unsettled] if unsettled else []), *measured.problems()]
    problems += [
        f"{service} falls behind by {lag['seconds']['slope_per_s']:.2f} s every second"
        for service, lag in lags.items()
        if not lag["is_flat"]
    ]
    if missing := max(stored["missing"], stored["ids_missing_between"]):
        problems.append(f"{missing:,} of {stored['published']:,} ticks are not in the database")
    return Result(case, _line(window, lags, measured), figures, problems)


def _line(window: Window, lags: dict[str, dict[str, dict[str, float]]], measured: Measured) -> str:
    last = max(lag["seconds"]["last"] for lag in lags.values())
    most = max(lag["seconds"]["max"] for lag in lags.values())
    return f"{window.words()}; lag {last:.2f} s, at most {most:.2f}; {measured.heartbeats.late():,} late"
