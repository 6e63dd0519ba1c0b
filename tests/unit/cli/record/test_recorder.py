"""Start of a recording: a venue that does not answer ends it after a while."""

import asyncio

import pytest

from services.cli.record.recorder import Recorder
from services.common.errors import FatalError, TransientError
from services.common.settings import load
from services.ingest.settings import IngestSettings
from tests.stub_venue import StubVenue


class SilentVenue(StubVenue):
    """A venue that is away for so many questions."""

    def __init__(self, away: int) -> None:
        super().__init__()
        self.away = away
        self.asked = 0

    async def check_symbols(self, symbols: object) -> None:
        self.asked += 1
        if self.asked <= self.away:
            raise TransientError("expected an answer, received none")


def wait(venue: SilentVenue, patience_s: float) -> None:
    settings = load(IngestSettings, {"PAIRSTREAM_SYMBOLS": "BTCUSDT"})
    asyncio.run(Recorder(settings, {"binance": venue}).wait_for_venues(patience_s))


def test_a_venue_that_comes_back_is_waited_for() -> None:
    wait(venue := SilentVenue(2), 60)
    assert venue.asked == 3


def test_one_that_stays_away_ends_the_recording() -> None:
    venue = SilentVenue(1_000)
    with pytest.raises(
        FatalError, match=r"binance has not answered for 0.1 s: expected an answer, received none"
    ):
        wait(venue, 0.1)
    assert venue.asked >= 2
