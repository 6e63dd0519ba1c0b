"""New trades of a recording, in bounded memory."""

import pytest

from services.contracts.messages import Tick
from services.ingest.feeds.recordings import recorded_tape
from services.ingest.feeds.recordings.recorded_tape import RecordedTape
from tests import builders


def tick(trade_id: int, event_us: int = 1) -> Tick:
    return builders.tick(trade_id=trade_id, event_us=event_us, buyer_is_maker=True)


def test_old_gaps_are_counted_and_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded_tape, "_MOST_GAPS", 10)
    tape = RecordedTape()
    assert all(tape.is_new(tick(one, one)) for one in range(1_000, 3_000, 2))
    chain = tape._current["BTCUSDT"].chain
    assert len(chain.missing) <= 11
    assert not tape.is_new(tick(2_998))
    assert tape.is_new(tick(2_997))
    assert not tape.is_new(tick(2_997))
    # Whether these came is not known any more: rather twice than never.
    assert tape.is_new(tick(1_001))
    assert tape.is_new(tick(1_002))
    assert tape.missing() == (998, 998)


def test_another_numbering_ends_the_one_before() -> None:
    tape = RecordedTape()
    numberings = [(5_000_000_000, 1), (10, 2), (5_000_000_000, 3), (10, 4)]
    for first_id, event_us in numberings:
        assert tape.is_new(tick(first_id, event_us))
        assert tape.is_new(tick(first_id + 5, event_us))
        assert not tape.is_new(tick(first_id + 5, event_us))
    assert tape.missing() == (16, 4)
