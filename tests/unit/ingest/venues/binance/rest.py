"""REST of Binance as tests answer it: a listing, and pages of trades."""

from typing import Any

from services.common.clock import SECOND
from services.ingest.venues.binance.venue import Binance
from tests.unit.ingest.venues.stub_rest import Params, StubRest

NOW = 1_750_000_000 * SECOND
LISTING = {
    "timezone": "UTC",
    "symbols": [
        {"symbol": "BTCUSDT", "status": "TRADING", "new": 1},
        {"symbol": "LUNAUSDT", "status": "SETTLING"},
    ],
}


def row(trade_id: int, at_us: int, **changes: Any) -> dict[str, Any]:
    return {"a": trade_id, "p": "100.5", "q": "2", "f": 1, "l": 2, "T": at_us // 1000, "m": True, **changes}


class Exchange:
    """Trades with times, the oldest first, as REST gives them."""

    def __init__(self, *trades: tuple[int, int]) -> None:
        self.trades = list(trades)
        self.remembers_from = 0

    def __call__(self, path: str, params: Params) -> Any:
        if path == "/fapi/v1/exchangeInfo":
            return LISTING
        assert path == "/fapi/v1/aggTrades"
        assert params["symbol"] == "BTCUSDT"
        limit = int(params["limit"])
        assert 1 <= limit <= 1000
        assert not ("fromId" in params and "startTime" in params), "the venue wants one or the other"
        rows = [row(trade_id, at_us) for trade_id, at_us in self.trades]
        if "fromId" in params:
            return [each for each in rows if each["a"] >= max(int(params["fromId"]), self.remembers_from)][
                :limit
            ]
        if "startTime" in params:
            start, end = int(params["startTime"]), int(params["endTime"])
            assert 0 <= end - start < 3_600_000, "the venue wants less than an hour"
            return [each for each in rows if start <= each["T"] <= end][:limit]
        return rows[-limit:]


def binance(answer: Any = None) -> tuple[Binance, StubRest]:
    rest = StubRest(answer or Exchange())
    return Binance("wss://stream", rest, now_us=lambda: NOW), rest
