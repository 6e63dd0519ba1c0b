"""Events of radars in the stream: each told once, to who wants its pair."""

import pytest

from services.common.errors import BadMessageError
from tests.unit.api.stream.stream_messages import Present, radar_event, read


def test_each_event_of_a_radar_is_told_once_to_who_wants_its_pair_either_way_round() -> None:
    present = Present()
    present.live_state.put_radar_event(radar_event(1))
    everything = present.subscription("radar")
    mine = present.subscription("radar", pairs=["B1-A1"])
    others = present.subscription("radar", pairs=["C1-A1"])
    assert [one["event_id"] for one in read(everything.first().text)["radar"]] == ["1"]
    message = read(mine.first().text)
    assert [(one["pair"], one["at_time"]) for one in message["radar"]] == [
        ("A1-B1", "1970-01-01T00:00:00.000001Z")
    ]
    assert read(others.first().text)["radar"] == []
    for number in (1, 2, 3):
        present.live_state.put_radar_event(radar_event(number))
    for client in (everything, mine):
        assert [one["event_id"] for one in read(client.update().text)["radar"]] == ["2", "3"]
    assert others.update().text is None
    again = read(present.subscription("radar", last_event_id=message["id"]).first().text)
    assert ([one["event_id"] for one in again["radar"]], again["resumed"]) == (["2", "3"], True)
    assert "radar" not in read(present.subscription("alerts").first().text)


def test_an_event_of_a_radar_without_a_pair_is_a_bad_message() -> None:
    with pytest.raises(BadMessageError, match="expected a pair Y-X, received 'BTCUSDT'"):
        Present().live_state.put_radar_event(radar_event(1, "BTCUSDT"))
