"""The market of the fake API: every number is a function of the time."""

import math
from datetime import UTC, datetime
from typing import Any

SECOND = 1_000_000
PAIRS = {"ETHUSDT-BTCUSDT": ("ETHUSDT", "BTCUSDT"), "SOLUSDT-ETHUSDT": ("SOLUSDT", "ETHUSDT")}
BASES = {"BTCUSDT": (64_000.0, 1), "ETHUSDT": (3_400.0, 2), "SOLUSDT": (148.0, 3)}
WINDOW = 300


def iso(us: int) -> str:
    return datetime.fromtimestamp(us / SECOND, UTC).isoformat()


def timed(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record with the readable twins of its times."""
    times = {name: us for name, us in record.items() if name.endswith("_us")}
    return record | {
        f"{name.removesuffix('_us')}_time": None if us is None else iso(us) for name, us in times.items()
    }


def wave(seed: float, t: float) -> float:
    return sum(
        math.sin(t / period + seed * period) / n for n, period in enumerate((611, 173, 47, 11.3, 2.7), 1)
    )


def price(symbol: str, t: float) -> float:
    base, decimals = BASES[symbol]
    market = 1 + 0.004 * wave(1.0, t)
    own = 1 + 0.0007 * wave(float(len(symbol)) + base, t)
    return round(base * market * own, decimals)


def zscore(pair: str, t: float) -> float:
    # Pairs with numbers in their names have z-scores of their own.
    return 1.5 * wave(len(pair) + 7.3 * int("0" + "".join(filter(str.isdigit, pair))), t / 3)


def tick(symbol: str, us: int) -> dict[str, Any]:
    return timed(
        {
            "venue": "fake",
            "symbol": symbol,
            "trade_id": us // 1000,
            "event_us": us,
            "received_us": us,
            "price": price(symbol, us / SECOND),
            "size": 0.1,
            "buyer_is_maker": False,
            "repaired": False,
        }
    )


def signal(pair: str, second: int, quality: str = "ok", reversion: str = "unproven") -> dict[str, Any]:
    y, x = PAIRS[pair]
    y_price, x_price = price(y, second), price(x, second)
    known = quality != "not_enough_data"
    beta = 0.9 * BASES[y][0] / BASES[x][0] * (1 + 0.01 * wave(3.0, second / 40))
    z = zscore(pair, second)
    return {
        "pair": pair,
        "event_us": second * SECOND,
        "event_time": iso(second * SECOND),
        "y_price": y_price,
        "x_price": x_price,
        "hedge_ratio": beta if known else None,
        "intercept": 12.5 if known else None,
        "method": "ols",
        "spread": z * BASES[y][0] * 0.0004 if known else None,
        "zscore": z if known else None,
        "correlation": (correlation := 0.87 + 0.05 * wave(2.0, second / 20) if known else None),
        "price_correlation": correlation,
        "hedge_ratio_se": beta * 0.004 if known else None,
        "r_squared": 0.971 if known else None,
        "zscore_rank": min(1.0, abs(z) / 3) if known else None,
        "outlier": False,
        "outliers": 0,
        "return_correlation": 0.41 if known else None,
        "return_correlation_clipped": False,
        "lead_lag_s": 2.0 if known else None,
        "reversion": reversion if known else None,
        "cointegration_p": 0.18 if known else None,
        "filled": None,
        "half_life_s": 42.5 if known else None,
        "half_life_low_s": 19.0 if known else None,
        "half_life_high_s": 130.0 if known else None,
        "window": WINDOW,
        "samples": WINDOW if known else 123,
        "late": 0,
        "revision": 0,
        "quality": quality,
        "reason": {
            "ok": None,
            "not_enough_data": "123 samples, 300 needed",
            "stale": f"no trade of {x} for 14 s",
        }[quality],
    }


def bar(symbol: str, start: int, width: int, now: float) -> dict[str, Any]:
    end = min(now, start + width)
    count = 12
    prices = [price(symbol, start + (end - start) * n / count) for n in range(count + 1)]
    volume = 10 + 8 * math.sin(start / width / 7) + (end - start) / width
    return {
        "start_us": start * SECOND,
        "start_time": iso(start * SECOND),
        "open": prices[0],
        "high": max(prices),
        "low": min(prices),
        "close": prices[-1],
        "volume": volume,
        "quote_volume": volume * prices[-1],
        "vwap": sum(prices) / len(prices),
        "trade_count": count,
        "closed": end - start >= width,
        "coverage": (end - start) / width,
        "carried": False,
        "complete": end - start >= width,
    }
