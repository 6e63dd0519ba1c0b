"""Health of the live feed: reports of its connections as log lines, as messages and as one state."""

from collections.abc import Hashable, Iterator, Sequence
from typing import NamedTuple, assert_never

import structlog

from services.common import clock
from services.contracts.messages import Filling, TapeEvent, TapeEventKind
from services.ingest.connections.events import (
    Connected,
    Delivering,
    Dropped,
    Live,
    Lost,
    Occurrence,
    Stale,
    SubscriptionRefused,
    Unsubscribed,
)
from services.ingest.feed import Counted, FeedStatus, Item
from services.ingest.venues.venue import Stream

# Most reasons named at once.
_WORDS = 3

log = structlog.get_logger()


class Unanswered(NamedTuple):
    """Venue that does not answer which symbols it trades; asked again in `retry_s`."""

    venue: str
    reason: str
    retry_s: float


class Answered(NamedTuple):
    """Venue that trades all wanted symbols."""

    venue: str


class FeedHealth:
    """Running once something comes, of the present or of the past, and nothing is wrong.

    Degraded, with the reasons, while anything is.
    """

    def __init__(self) -> None:
        self._wrong: dict[Hashable, str] = {}
        self._streams: dict[tuple[str, int], Sequence[Stream]] = {}
        self._begun = False
        self._filling: Filling | None = None
        self._told: FeedStatus | None = None

    def note(self, news: Occurrence | Unanswered | Answered) -> Iterator[Item]:
        """Yield what is to be published of it; it is logged too."""
        at_us = clock.now_us()
        match news:
            case Unanswered(venue, reason, retry_s):
                log.warning(
                    "the venue does not answer, trying again", reason=reason, retry_in_s=_tenth(retry_s)
                )
                self._wrong[venue] = reason
            case Answered(venue):
                self._wrong.pop(venue, None)
            case Connected():
                yield from self._connected(news, at_us)
            case Delivering(venue, lane, _):
                self._begun = True
                self._wrong.pop((venue, lane), None)
            case Lost(venue, lane, _, reason, retry_s):
                log.warning("disconnected, trying again", reason=reason, retry_in_s=_tenth(retry_s))
                self._wrong[venue, lane] = reason
            case Stale(venue, stream, silent_s, plausible_s):
                reason = f"{stream.name} of {venue} has been silent for {silent_s:.0f} s"
                log.warning(
                    "a stream is stale, connecting anew", reason=reason, plausible_s=_tenth(plausible_s)
                )
                self._wrong[stream] = reason
                yield Counted("stale_streams")
                yield _event("stream_stale", venue, stream, at_us, reason)
            case SubscriptionRefused(venue, stream, words):
                reason = f"{venue} refuses {stream.name}: {words}"
                log.error("a subscription is refused", reason=reason)
                self._wrong[stream] = reason
                yield _event("stream_stale", venue, stream, at_us, reason)
            case Live(venue, stream):
                log.info("a stream is live again", venue=venue, stream=stream.name)
                self._wrong.pop(stream, None)
                yield _event("stream_live", venue, stream, at_us)
            case Unsubscribed(venue, streams, lane):
                for key in (*streams, (venue, lane)):
                    self._wrong.pop(key, None)
            case Dropped():
                yield from self._dropped(news, at_us)
            case never:
                assert_never(never)
        yield from self._status()

    def fill(self, filling: Filling | None) -> Iterator[Item]:
        """Take how much of the past has been played, None once all of it has, and yield what is to be published."""
        self._begun = True
        self._filling = filling
        yield from self._status()

    def _connected(self, news: Connected, at_us: int) -> Iterator[Item]:
        venue, lane, connection, streams, reason = news
        # Frames of the one before may still be dropped.
        of_lane = [key for key, known in self._streams.items() if set(known) & set(streams)]
        for key in of_lane[:-1]:
            del self._streams[key]
        self._streams[venue, connection] = streams
        if reason is None:
            return
        log.info("reconnected", venue=venue, lane=lane, connection=connection, reason=reason)
        yield Counted("reconnects")
        for stream in _one_per_symbol(streams):
            yield _event("reconnect", venue, stream._replace(name=""), at_us, reason)

    def _dropped(self, news: Dropped, at_us: int) -> Iterator[Item]:
        venue, connection, frames = news
        reason = f"{frames} frames of connection {connection} found the buffer full"
        log.warning("dropped", venue=venue, connection=connection, frames=frames)
        yield Counted("dropped", frames)
        for stream in _one_per_symbol(self._streams.get((venue, connection), ())):
            yield _event("dropped", venue, stream._replace(name=""), at_us, reason)

    def _status(self) -> Iterator[Item]:
        wrong = list(self._wrong.values())
        if wrong:
            more = [f"and {len(wrong) - _WORDS} more"] if len(wrong) > _WORDS else []
            status = FeedStatus("degraded", "; ".join([*wrong[:_WORDS], *more]), self._filling)
        elif self._begun:
            status = FeedStatus("running", filling=self._filling)
        else:
            return
        if status != self._told:
            self._told = status
            yield status


def _one_per_symbol(streams: Sequence[Stream]) -> list[Stream]:
    return list({stream.symbol: stream for stream in streams}.values())


def _event(
    kind: TapeEventKind, venue: str, stream: Stream, at_us: int, reason: str | None = None
) -> TapeEvent:
    return TapeEvent(
        kind=kind,
        venue=venue,
        symbol=stream.symbol,
        at_us=at_us,
        stream=stream.name or None,
        reason=reason,
    )


def _tenth(seconds: float) -> float:
    return round(seconds, 1)
