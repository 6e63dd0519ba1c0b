"""Listed symbols of the fake API."""

from collections.abc import Collection
from typing import Any

from tests.e2e.fake_market import BASES

LISTED = (*BASES, "1000PEPEUSDT", "币安人生USDT")


def rows(added: Collection[str]) -> list[dict[str, Any]]:
    """Return what the fake venue lists; the symbols of the market and those that were added are collected."""
    return [
        {
            "symbol": symbol,
            "venue": "binance",
            "status": "trading",
            "venue_status": "TRADING",
            "base": symbol.removesuffix("USDT"),
            "quote": "USDT",
            "contract_type": "PERPETUAL",
            "tick_size": 0.1,
            "size_step": 0.001,
            **dict.fromkeys(("onboard_us", "onboard_time", "delivery_us", "delivery_time")),
            "state": "live" if symbol in BASES else "filling" if symbol in added else None,
            "state_reason": None,
        }
        for symbol in LISTED
    ]
