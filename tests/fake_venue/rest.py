"""REST of the fake venue: its listing, its history, and its request weights."""

import json
import time
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from tests.fake_venue.book import Book

WEIGHT_LIMIT = 2_400
_WEIGHTS = {"aggTrades": 20, "24hr": 40}
_ROWS = 1_000
_HOUR_MS = 3_600_000
KEPT_MS = 48 * _HOUR_MS

Row = dict[str, Any]


class Answer(NamedTuple):
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes


class Rest:
    """Answers ``/fapi/v1/``; a minute has a weight, and whoever asks for more is told to wait, then banned."""

    def __init__(self, symbols: dict[str, str], book: Book, violations: list[str]) -> None:
        """`symbols` maps names to statuses; broken rules are noted in `violations`."""
        self.symbols = symbols
        self.volumes: dict[str, float] = {}
        """The volume of 24 h of each symbol, 0 unless it is set."""
        self.weight_limit = WEIGHT_LIMIT
        self.requests = self.listings = 0
        self.peak_weight = 0
        self._book = book
        self._violations = violations
        self._minute = self._weight = 0

    def answer(self, path: str, query: str, now_ms: int) -> Answer:
        """Return what a GET gets."""
        self.requests += 1
        weight = _WEIGHTS.get(path.rpartition("/")[2], 1)
        if now_ms // 60_000 != self._minute:
            self._minute, self._weight = now_ms // 60_000, 0
        self._weight += weight
        self.peak_weight = max(self.peak_weight, self._weight)
        headers = {"X-MBX-USED-WEIGHT-1M": str(self._weight)}
        if self._weight > self.weight_limit:
            self._violations.append(f"weight {self._weight} of {self.weight_limit} a minute")
            left = 60 - now_ms // 1000 % 60
            status = 418 if self._weight > 2 * self.weight_limit else 429
            return _json(
                status, {"code": -1003, "msg": "Too many requests"}, headers | {"Retry-After": f"{left}"}
            )
        match path:
            case "/fapi/v1/ping":
                return _json(200, {}, headers)
            case "/fapi/v1/time":
                return _json(200, {"serverTime": now_ms}, headers)
            case "/fapi/v1/exchangeInfo":
                self.listings += 1
                return _json(200, self._listing(), headers)
            case "/fapi/v1/ticker/24hr":
                return _json(200, self._day(), headers)
            case "/fapi/v1/aggTrades":
                status, body = self._trades(dict(parse_qsl(query)), now_ms)
                return _json(status, body, headers)
            case _:
                return _json(404, {"code": -5000, "msg": f"Path {path}, Method GET is invalid"}, headers)

    def _day(self) -> list[Row]:
        return [
            {"symbol": name, "quoteVolume": f"{self.volumes.get(name, 0.0):.2f}"} for name in self.symbols
        ]

    def _listing(self) -> Row:
        listing = [
            {"symbol": name, "status": status, "baseAsset": name.removesuffix("USDT"), "quoteAsset": "USDT"}
            for name, status in self.symbols.items()
        ]
        return {"timezone": "UTC", "symbols": listing}

    def _trades(self, asked: dict[str, str], now_ms: int) -> tuple[int, object]:
        symbol = asked.get("symbol", "")
        if symbol not in self.symbols:
            return 400, {"code": -1121, "msg": "Invalid symbol."}
        try:
            numbers = {
                name: int(asked[name])
                for name in ("fromId", "startTime", "endTime", "limit")
                if name in asked
            }
        except ValueError:
            return 400, {"code": -1100, "msg": "Illegal characters found in a parameter."}
        limit = numbers.get("limit", 500)
        if not 1 <= limit <= _ROWS:
            return 400, {"code": -1130, "msg": "Data sent for parameter 'limit' is not valid."}
        start_ms, end_ms = numbers.get("startTime"), numbers.get("endTime")
        if "fromId" in numbers and (start_ms is not None or end_ms is not None):
            self._violations.append("fromId together with times")
            return 400, {"code": -1128, "msg": "Combination of optional parameters invalid."}
        if start_ms is not None and end_ms is not None and end_ms - start_ms > _HOUR_MS:
            return 400, {"code": -4036, "msg": "More than 1 hours between startTime and endTime."}
        first = numbers.get("fromId")
        if first is None and start_ms is not None:
            first = self._book.first_since(symbol, start_ms)
        if first is None:
            first = max(0, self._book.first_since(symbol, now_ms + 1) - limit)
        oldest_ms = now_ms - KEPT_MS
        first_ms = self._book.time_ms(symbol, first)
        if (start_ms or oldest_ms) < oldest_ms or (first_ms or oldest_ms) < oldest_ms:
            return 400, {"code": -4166, "msg": "Only the last 48 hours can be queried."}
        trades = self._book.rows(symbol, first, limit, now_ms)
        return 200, [trade.row() for trade in trades if end_ms is None or trade.time_ms <= end_ms]


def _json(status: int, body: object, headers: dict[str, str]) -> Answer:
    return Answer(status, {"Content-Type": "application/json", **headers}, json.dumps(body).encode())


def now_ms() -> int:
    """Return the venue's clock."""
    return time.time_ns() // 1_000_000
