"""Series cache: the buffers of all charts, shared by every session."""

import time
from collections.abc import Callable, Iterable
from typing import TypeVar

from services.contracts.messages import Signal
from services.ui.api.client import ApiClient
from services.ui.api.poll_cache import drop_unused
from services.ui.api.types import Bar
from services.ui.series import day as days
from services.ui.series.buffer import SeriesBuffer
from services.ui.state.event_log import EventLog

BARS_KEPT = 500
# Points that a browser draws without effort, with room for those that come while a chart is open.
BARS_MOST = 19_000
SIGNALS_KEPT = 1800  # half an hour of seconds
BARS_EVERY_S = 0.5
# Trades that come late change bars that were read long ago.
BARS_AGAIN_EVERY_S = 15.0
HOUR_BARS = 61
HOURS_EVERY_S = 60.0
HOURS_AT_ONCE = 2
SIGNALS_EVERY_S = 1.0
DAY_EVERY_S = 10.0

P = TypeVar("P", Bar, Signal)
K = TypeVar("K")


class SeriesCache:
    """Cache of every series that some session shows; one that none has read for a minute is dropped."""

    def __init__(self, client: ApiClient, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._monotonic = monotonic
        self._bars: dict[tuple[str, str], SeriesBuffer[Bar]] = {}
        self._hours: dict[str, SeriesBuffer[Bar]] = {}
        self._signals: dict[tuple[str, int], SeriesBuffer[Signal]] = {}
        self._days: dict[str, SeriesBuffer[Signal]] = {}

    def bars(self, symbol: str, interval: str) -> SeriesBuffer[Bar]:
        """Return the bars of `symbol`, current to half a second once they are loaded."""
        track = self._of(
            self._bars,
            (symbol, interval),
            lambda: SeriesBuffer(
                lambda count: self._client.bars(symbol, interval, count),
                BARS_KEPT,
                BARS_EVERY_S,
                self._monotonic,
                lambda count, before_us: self._client.bars(symbol, interval, count, before_us),
                BARS_AGAIN_EVERY_S,
            ),
        )
        track.refresh_if_due()
        return track

    def hours(self, symbols: Iterable[str]) -> dict[str, SeriesBuffer[Bar]]:
        """Return the last hour of each symbol in minutes, read once a minute and a few symbols at a time."""
        drop_unused(self._hours, self._monotonic())
        free = HOURS_AT_ONCE - sum(track.is_reading for track in self._hours.values())
        tracks = {}
        for symbol in symbols:
            track = self._hours.get(symbol)
            if track is None and free > 0:
                track = self._hours[symbol] = self._hour(symbol)
            if track is None:
                continue
            track.used_s = self._monotonic()
            if free > 0 and not track.is_reading:
                track.refresh_if_due()
                free -= track.is_reading
            tracks[symbol] = track
        return tracks

    def _hour(self, symbol: str) -> SeriesBuffer[Bar]:
        return SeriesBuffer(
            lambda count: self._client.bars(symbol, "1m", count),
            HOUR_BARS,
            HOURS_EVERY_S,
            self._monotonic,
            again_every_s=HOURS_EVERY_S,
        )

    def signals(
        self,
        pair: str,
        closes: Iterable[Signal],
        corrections: EventLog[Signal],
        kept: int = SIGNALS_KEPT,
    ) -> SeriesBuffer[Signal]:
        """Return the newest `kept` signals of `pair`; `closes` are the last ones the stream brought."""
        track = self._of(
            self._signals,
            (pair, kept),
            lambda: SeriesBuffer(
                lambda count: self._client.signals(pair, count),
                kept,
                SIGNALS_EVERY_S,
                self._monotonic,
                lambda count, before_us: self._client.signals(pair, count, before_us),
            ),
        )
        track.refresh_if_due(closes)
        track.correct(corrections)
        return track

    def day(self, pair: str, corrections: EventLog[Signal]) -> SeriesBuffer[Signal]:
        """Return a day of signals of `pair`: of each minute that is over what its extremes and exits are."""
        track = self._of(
            self._days,
            pair,
            lambda: SeriesBuffer(
                lambda count: days.extremes(self._client, pair, count // days.A_MINUTE + 2),
                days.MINUTES * days.A_MINUTE,
                DAY_EVERY_S,
                self._monotonic,
                is_thinned=True,
            ),
        )
        track.correct(corrections)
        track.refresh_if_due()
        return track

    def _of(
        self, tracks: dict[K, SeriesBuffer[P]], key: K, make: Callable[[], SeriesBuffer[P]]
    ) -> SeriesBuffer[P]:
        """Return the buffer of `key`, made if there is none; those that no session shows any more go."""
        drop_unused(tracks, self._monotonic())
        if key not in tracks:
            tracks[key] = make()
        return tracks[key]
