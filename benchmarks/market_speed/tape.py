"""The tapes of the benchmark: made from a seed, the same on every machine."""

from bisect import bisect_left
from collections.abc import Sequence
from pathlib import Path
from random import Random

from services.common.clock import SECOND
from services.common.codec import encode
from services.contracts.messages import Tick
from tests.analytics import walk


def made(names: Sequence[str], per_second: float, start_us: int, seconds: int, seed: int = 7) -> list[Tick]:
    """Return walking futures, `per_second` trades of all together, no two at one moment."""
    prices = {name: 100.0 * (1 + number) for number, name in enumerate(names)}
    return walk(prices, per_second, start_us, seconds, Random(seed))


def parts(ticks: Sequence[Tick], ends: Sequence[int]) -> list[list[Tick]]:
    """Return the ticks in parts: each ends with the trade by which every symbol has traded at `ends` (us) or later."""
    found: list[list[Tick]] = []
    first = 0
    for end_us in ends:
        waiting = {tick.symbol for tick in ticks}
        last = bisect_left(ticks, end_us, key=lambda tick: tick.event_us)
        while waiting:
            waiting.discard(ticks[last].symbol)
            last += 1
        found.append(list(ticks[first:last]))
        first = last
    return found


def write(path: Path, ticks: Sequence[Tick]) -> None:
    """Write ticks as a recording that replay reads."""
    with path.open("wb") as file:
        file.writelines(encode(tick) + b"\n" for tick in ticks)
    path.chmod(0o644)


def flags(file: Path, speed: str, names: Sequence[str], watched: Sequence[str]) -> list[str]:
    """Return the flags of ``pairstream up`` to replay a recording."""
    feed = ["--feed", "replay", "--replay-file", str(file), "--speed", speed]
    return [*feed, "--symbols", ",".join(names), "--pairs", ",".join(watched)]


class Moments:
    """When what was traded, of all symbols and of each."""

    def __init__(self, ticks: Sequence[Tick]) -> None:
        self._all = [tick.event_us for tick in ticks]
        self._of: dict[str, list[int]] = {}
        for tick in ticks:
            self._of.setdefault(tick.symbol, []).append(tick.event_us)

    def reached(self, event_us: int) -> int | None:
        """Return the first trade of any symbol at that moment or later."""
        return _at(self._all, bisect_left(self._all, event_us))

    def closed_by(self, pair: str, end_us: int) -> int | None:
        """Return the trade that ends the second before `end_us` for both legs of a pair."""
        first = [_at(events, bisect_left(events, end_us)) for events in self._legs(pair)]
        return max(one for one in first if one is not None) if None not in first else None

    def newest_before(self, pair: str, end_us: int) -> int | None:
        """Return the last trade of either leg before `end_us`."""
        last = [_at(events, bisect_left(events, end_us) - 1) for events in self._legs(pair)]
        return max((one for one in last if one is not None), default=None)

    def _legs(self, pair: str) -> list[list[int]]:
        return [self._of.get(symbol, []) for symbol in pair.split("-")]


def _at(events: Sequence[int], place: int) -> int | None:
    return events[place] if 0 <= place < len(events) else None


def seconds_of(event_us: int) -> int:
    """Return the end of the second in which something happened (us)."""
    return event_us // SECOND * SECOND + SECOND
