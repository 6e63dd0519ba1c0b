"""Roster of a feed: what is wanted, and what is said of it, as venues and users change their minds."""

import pytest

from services.contracts.listings import Listing, ListingStatus, SymbolConfig
from services.contracts.messages import TapeEvent
from services.ingest.roster import Roster


def listing(symbol: str, status: ListingStatus = "trading", said: str | None = "SAID") -> Listing:
    return Listing(symbol=symbol, venue="binance", status=status, venue_status=said)


BTC, ETH = listing("BTCUSDT"), listing("ETHUSDT")


def roster(*items: str) -> Roster:
    one = Roster(items)
    one.list("binance", [BTC, ETH])
    return one


def states(one: Roster) -> list[tuple[str, str | None, str | None]]:
    return [
        (event.symbol, event.state, event.reason) for event in one.news(1) if isinstance(event, TapeEvent)
    ]


def test_nothing_is_wanted_before_its_venue_has_answered() -> None:
    one = Roster(["BTCUSDT"])
    one.remember({"BTCUSDT": BTC})
    assert one.wanted() == []
    assert [*one.news(1)] == []
    one.list("binance", [BTC])
    assert one.wanted() == ["BTCUSDT"]


def test_users_go_before_the_settings() -> None:
    one = roster("BTCUSDT")
    one.decide(
        {
            "BTCUSDT": SymbolConfig(symbol="BTCUSDT", collected=False),
            "ETHUSDT": SymbolConfig(symbol="ETHUSDT"),
        }
    )
    assert one.wanted() == ["ETHUSDT"]
    one.decide({})
    assert one.wanted() == ["BTCUSDT"]


def test_each_change_of_a_state_is_told_once() -> None:
    one = roster("BTCUSDT")
    assert [type(item) for item in one.news(1)] == [Listing, TapeEvent, Listing]
    one.follow("BTCUSDT", "live")
    assert states(one) == [("BTCUSDT", "live", None)]
    assert [*one.news(1)] == []
    one.decide({"BTCUSDT": SymbolConfig(symbol="BTCUSDT", collected=False)})
    one.leave("BTCUSDT")
    assert states(one) == [("BTCUSDT", "removed", None)]
    one.tell_again()
    assert [item.symbol for item in one.news(1)] == ["BTCUSDT", "ETHUSDT"]


@pytest.mark.parametrize(
    ("status", "is_wanted"),
    [("halted", True), ("delivered", False), ("delisted", False), ("pre-trading", False)],
)
def test_what_trades_no_longer_is_in_that_state(status: ListingStatus, is_wanted: bool) -> None:
    one = roster("all")
    one.follow("BTCUSDT", "live")
    states(one)
    one.list("binance", [listing("BTCUSDT", status, "CLOSED"), ETH])
    assert ("BTCUSDT" in one.wanted()) == is_wanted
    assert one.halted() == ["BTCUSDT"]
    assert states(one) == [("BTCUSDT", status, "the venue says CLOSED")]
    one.list("binance", [BTC, ETH])
    assert states(one) == [("BTCUSDT", "live", None)]


def test_what_a_venue_lists_no_longer_is_delisted() -> None:
    one = roster("all")
    one.follow("BTCUSDT", "live")
    states(one)
    one.list("binance", [ETH])
    assert one.wanted() == ["ETHUSDT"]
    assert states(one) == [("BTCUSDT", "delisted", "the venue does not list it")]
    one.leave("BTCUSDT")
    one.list("binance", [ETH, listing("NEWUSDT")])
    assert one.wanted() == ["ETHUSDT", "NEWUSDT"]


def test_a_top_list_goes_on_from_what_was_collected_before_the_start() -> None:
    one = Roster(["top:1"])
    one.remember({"ETHUSDT": Listing(symbol="ETHUSDT", venue="binance", state="live")})
    one.list("binance", [BTC, ETH], {"BTCUSDT": 9.0, "ETHUSDT": 8.0})
    assert one.wanted() == ["ETHUSDT"]
    one.list("binance", [BTC, ETH, listing("SOLUSDT")], {"SOLUSDT": 8.5})
    assert one.wanted() == ["BTCUSDT"]
