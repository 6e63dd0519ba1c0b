"""Watches of a subject: which rules an observation can change, found without a look at the others."""

from heapq import heapify, heappop, heappush
from itertools import count

from services.rules.levels import Span
from services.rules.observation import Observation
from services.rules.track import Track

_SPARE = 64
_numbers = count(1)

Edge = tuple[float, int, Track]


class Watches:
    """Edges of metrics at which tracks wait. Only the nearest are looked at; one that is reached is taken out."""

    def __init__(self) -> None:
        self._above: dict[str, list[Edge]] = {}
        self._below: dict[str, list[Edge]] = {}
        """The same with all signs turned."""

    def set(self, track: Track, spans: list[tuple[str, Span]]) -> None:
        """Wait for a track until a metric leaves one of `spans`; what it waited for before is forgotten."""
        track.watch = number = next(_numbers)
        for metric, (low, high) in spans:
            if high != float("inf"):
                _push(self._above.setdefault(metric, []), (high, number, track))
            if low != float("-inf"):
                _push(self._below.setdefault(metric, []), (-low, number, track))

    def take(self, seen: Observation) -> list[Track]:
        """Return the tracks whose edges an observation has reached, and wait for them no more."""
        reached: list[Track] = []
        for edges, sign in ((self._above, 1.0), (self._below, -1.0)):
            for metric, heap in edges.items():
                value = seen.values.get(metric)
                if value is None:
                    continue
                value *= sign
                while heap and heap[0][0] <= value:
                    _, number, track = heappop(heap)
                    if track.watch == number:
                        track.watch = 0
                        reached.append(track)
        return reached

    def reached(self, seen: Observation) -> list[Track]:
        """Return the same, and go on waiting for them."""
        return [
            track
            for edges, sign in ((self._above, 1.0), (self._below, -1.0))
            for metric, heap in edges.items()
            if metric in seen.values
            for edge, number, track in heap
            if edge <= sign * seen.values[metric] and track.watch == number
        ]


def _push(heap: list[Edge], edge: Edge) -> None:
    """Add an edge; old ones are thrown out before they outnumber the others."""
    if len(heap) >= _SPARE and len(heap) & (len(heap) - 1) == 0:
        heap[:] = [one for one in heap if one[2].watch == one[1]]
        heapify(heap)
    heappush(heap, edge)
