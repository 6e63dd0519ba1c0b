"""Plausibility of a trade's times: checked by every reader of the topic ``ticks``."""

from collections.abc import Iterable, Sequence

from services.common.clock import HOUR, SECOND, to_iso
from services.common.codec import Decoded, decode_all
from services.common.errors import BadMessageError
from services.contracts.messages import Tick

# 2009-01-01: before that nothing was traded that has a symbol here. Seconds and milliseconds fall far below it.
EARLIEST_US = 1_230_768_000 * SECOND
# Largest difference between the clocks of the venue and of the receiver.
AHEAD_US = 2 * SECOND
# No clock of ours is so far from the reader's.
_LATEST_US = 24 * HOUR
# The made-up market has a clock of its own, which may run faster.
_OWN_CLOCK = "synthetic"


def decode_ticks(raws: Sequence[bytes | None], now_us: int) -> Decoded[Tick]:
    """Return the ticks in `raws` as ``decode_all`` does; one with implausible times, as of `now_us`, is bad, too."""
    found = decode_all(raws, Tick)
    wrong = implausible(found.messages, now_us)
    if not wrong:
        return found
    places = [place for place in range(len(raws)) if place not in found.bad]
    bad = found.bad | {places[number]: error for number, error in wrong.items()}
    ticks = [tick for number, tick in enumerate(found.messages) if number not in wrong]
    return Decoded(ticks, dict(sorted(bad.items())))


def implausible(ticks: Iterable[Tick], now_us: int) -> dict[int, BadMessageError]:
    """Return of each tick whose times cannot be true, by its place, why they cannot."""
    latest_us = now_us + _LATEST_US
    return {
        place: BadMessageError(reason)
        for place, tick in enumerate(ticks)
        if not (EARLIEST_US <= tick.event_us <= tick.received_us + AHEAD_US and tick.received_us <= latest_us)
        and (reason := _reason(tick, latest_us))
    }


def _reason(tick: Tick, latest_us: int) -> str | None:
    name = f"{tick.symbol} trade {tick.trade_id}"
    advice = "send microseconds since the epoch, UTC"
    if tick.event_us < EARLIEST_US:
        return (
            f"expected event_us of {name} in microseconds, from 2009 on, "
            f"received {tick.event_us} ({to_iso(tick.event_us)}): {advice}"
        )
    if tick.venue == _OWN_CLOCK:
        return None
    if tick.received_us > latest_us:
        return (
            f"expected received_us of {name} no more than a day ahead of the clock, "
            f"received {tick.received_us} ({to_iso(tick.received_us)}): {advice}, and set the clock that wrote it"
        )
    ahead_s = (tick.event_us - tick.received_us) / SECOND
    return (
        f"expected event_us of {name} no more than {AHEAD_US // SECOND} s after received_us, "
        f"received {tick.event_us}, {ahead_s:.1f} s after it: {advice}, both by clocks that agree"
    )
