"""Panel of the sizes of a hedged position."""

import asyncio
from dataclasses import replace
from typing import Any, cast

import pytest

from services.common.errors import TransientError
from services.ui.api.client import ApiClient
from services.ui.api.types import ListedSymbol, Listing
from services.ui.pages.pairs import sizes
from services.ui.state.live_state import Now
from services.ui.state.page_context import PageContext, Props
from tests.unit.ui.answers import update
from tests.unit.ui.conftest import PAIR, Make


class StubClient:
    """An API whose venue lists these steps of sizes; away without any."""

    def __init__(self, **steps: float) -> None:
        self._steps = steps

    async def read(self, path: str, kind: Any, **asked: Any) -> Listing[ListedSymbol]:
        if not self._steps:
            raise TransientError("the API is away")
        rows = [
            ListedSymbol(symbol=name, venue="v", status="trading", size_step=step)
            for name, step in self._steps.items()
        ]
        return Listing(data=tuple(rows))


def shown(site: PageContext, notional: Any = 10_000, **steps: float) -> Props:
    asked = replace(site, client=cast("ApiClient", StubClient(**steps)))
    return asyncio.run(sizes.answer(asked, PAIR, notional, "y", "UTC"))


def test_both_legs_are_told_with_the_hedge_ratio_and_its_time(
    site: PageContext, signal: Make, now: Now
) -> None:
    site.market.apply(update(signals=(signal(hedge_ratio=0.05, y_price=2_500.0, x_price=50_000.0),)), now)
    props = shown(site, ETHUSDT=0.001, BTCUSDT=0.001)
    status, table = props["sizes-status"]["children"], str(props["sizes-table"]["children"])
    assert status.startswith("Hedge ratio 0.05")
    assert " UTC. On prices" in status
    assert "Buy ETHUSDT" in table
    assert "Sell BTCUSDT" in table
    assert "Rounded down to the venue's steps" in table
    assert "Step not known, not rounded: ETHUSDT, BTCUSDT." in str(shown(site)["sizes-table"])
    assert "Less than one step" in str(shown(site, 1, ETHUSDT=1.0, BTCUSDT=1.0)["sizes-table"])


@pytest.mark.parametrize("notional", [0, -5, "", None, True])
def test_what_is_no_notional_is_said_at_its_field(site: PageContext, notional: Any) -> None:
    assert shown(site, notional)["sizes-notional"]["error"].startswith("Expected a notional above 0")


def test_without_a_hedge_ratio_to_rely_on_there_are_no_sizes(
    site: PageContext, signal: Make, now: Now
) -> None:
    site.market.apply(update(signals=(signal(quality="stale", reason="no trade for 14 s"),)), now)
    props = shown(site)
    assert "no trade for 14 s" in props["sizes-status"]["children"]
    assert props["sizes-table"] == {"children": ""}
