"""Selections of symbols: what each item picks, and what a top list does when ranks change."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.listings import Listing, ListingStatus
from services.contracts.selection import names, parse_item, resolve, wants_volumes


def listing(symbol: str, status: ListingStatus = "trading") -> Listing:
    return Listing(symbol=symbol, venue="binance", status=status)


LISTED = [
    listing(name) for name in ("BTCUSDT", "ETHUSDT", "BTCUSDC", "1000PEPEUSDT", "币安人生USDT", "BTCUSDT.OKX")
]
VOLUMES = {"ETHUSDT": 9.0, "BTCUSDT": 8.0, "BTCUSDC": 1.0, "BTCUSDT.OKX": 99.0}
LISTED += [listing("LUNAUSDT", "halted"), listing("NEWUSDT", "pre-trading")]


def test_items_are_told_apart() -> None:
    items = tuple(map(parse_item, ("btcusdt", "All", "TOP:5", "*usdc")))
    assert items == ("BTCUSDT", "all", "top:5", "*USDC")
    assert names(items) == ("BTCUSDT",)
    assert wants_volumes(items)
    assert not wants_volumes(items[:2])


@pytest.mark.parametrize("text", ["top:0", "top:x", "top:", "BT C", "a*b,c", ""])
def test_what_is_no_item_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_item(text)


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("all", ["BTCUSDT", "ETHUSDT", "BTCUSDC", "1000PEPEUSDT", "币安人生USDT"]),
        ("*USDC", ["BTCUSDC"]),
        ("1000*", ["1000PEPEUSDT"]),
        ("币安*", ["币安人生USDT"]),
        ("*.OKX", ["BTCUSDT.OKX"]),
        ("GONEUSDT", ["GONEUSDT"]),
        ("top:2.okx", ["BTCUSDT.OKX"]),
        ("top:2", ["ETHUSDT", "BTCUSDT"]),
    ],
)
def test_an_item_picks_what_trades_at_its_venue(item: str, expected: list[str]) -> None:
    assert resolve([item], LISTED, VOLUMES, ()) == expected


def test_what_was_collected_stays_while_it_is_halted_and_nothing_comes_twice() -> None:
    assert resolve(["LUNA*", "all", "BTCUSDT"], LISTED, {}, {"LUNAUSDT"})[:2] == ["LUNAUSDT", "BTCUSDT"]
    assert resolve(["LUNA*"], LISTED, {}, ()) == []


@given(
    size=st.integers(1, 20),
    ranks=st.lists(st.permutations(range(30)), min_size=1, max_size=5),
)
def test_a_top_list_keeps_its_size_and_near_ranks(size: int, ranks: list[list[int]]) -> None:
    listed = [listing(f"S{number:02}USDT") for number in range(30)]
    before: list[str] = []
    for order in ranks:
        volumes = {f"S{number:02}USDT": float(rank) for rank, number in enumerate(order)}
        now = resolve([f"top:{size}"], listed, volumes, before)
        ranked = sorted(volumes, key=lambda name: -volumes[name])
        margin = max(1, round(size / 10))
        assert len(now) == size
        assert set(now) >= set(ranked[: max(0, size - 2 * margin)])
        assert set(now) <= set(ranked[: size + margin])
        # Those who only just lost their place keep it.
        assert resolve([f"top:{size}"], listed, volumes, now) == sorted(now, key=ranked.index)
        before = now


def test_equals_do_not_take_turns() -> None:
    listed = [listing(name) for name in ("AAUSDT", "BBUSDT", "CCUSDT")]
    first = resolve(["top:2"], listed, {"AAUSDT": 9.0, "BBUSDT": 5.0, "CCUSDT": 4.0}, ())
    assert resolve(["top:2"], listed, {"AAUSDT": 9.0, "BBUSDT": 4.0, "CCUSDT": 5.0}, first) == first
