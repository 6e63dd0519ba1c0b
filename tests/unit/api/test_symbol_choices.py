"""Symbols right after a start: an answer waits until what the feed lists has been read."""

import asyncio

import pytest

from services.api import symbol_choices
from services.api.settings import ApiSettings
from services.api.symbol_choices import SymbolChoices
from services.common.errors import TransientError
from services.contracts.listings import Listing

LISTED = {"SOLUSDT": Listing(symbol="SOLUSDT", venue="binance")}


class Read(SymbolChoices):
    """Choices whose topics are read when a test says so."""

    def __init__(self) -> None:
        super().__init__(ApiSettings(), lambda *_: None)
        self._decisions._take({}, set(), {})

    def tell(self, listed: dict[str, Listing]) -> None:
        self._listings._take(listed, set(), {})


@pytest.mark.parametrize("was_read_empty", [False, True])
def test_what_is_read_a_moment_later_is_known(was_read_empty: bool) -> None:
    async def run() -> None:
        choices = Read()
        if was_read_empty:
            choices.tell({})
        asked = [asyncio.create_task(choices.known_so_far()), asyncio.create_task(choices.known())]
        await asyncio.sleep(0)
        choices.tell(LISTED)
        assert await asyncio.gather(*asked) == [LISTED, LISTED]

    asyncio.run(run())


def test_what_nobody_has_read_is_an_error_and_what_lists_nothing_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(symbol_choices, "READ_S", 0.0)

    async def run() -> None:
        choices = Read()
        with pytest.raises(TransientError, match="not been read from the broker yet"):
            await choices.known_so_far()
        choices.tell({})
        assert await choices.known_so_far() == {}
        with pytest.raises(TransientError):
            await choices.known()

    asyncio.run(run())
