"""Whose bars a file holds: the symbol in its name, by the conventions of venues and tools."""

import re
from collections.abc import Sequence

from services.contracts.pairs import parse_symbol
from services.contracts.symbol_forms import PERPETUAL, QUOTES, has_quote, is_delivery, joined, tokens

_VENUE = re.compile(
    r"ALPACA|AMEX|BATS|BINANCE|BINANCEUS|BINGX|BITFINEX|BITGET|BITMEX|BITSTAMP|BITTREX|BTCE|BYBIT|CEX|"
    r"COINBASE|COINEX|COINGECKO|CRYPTO|CRYPTOCOM|DERIBIT|DUKASCOPY|EXMO|FOREXCOM|FTX|FX|FXCM|GATE|GATEIO|"
    r"GEMINI|HITBTC|HTX|HUOBI|INDEX|KRAKEN|KUCOIN|MEXC|NASDAQ|NYSE|OANDA|OKCOIN|OKEX|OKX|PHEMEX|POLONIEX|"
    r"POLYGON|PYTH|STOOQ|TVC|UPBIT|WHITEBIT|YAHOO"
)
_WORD = re.compile(
    r"AGGTRADES|ASK|BAR|BARS|BID|CANDLE|CANDLES|CANDLESTICK|CM|COM|CSV|DAILY|DATA|DATASET|DAY|DAYS|"
    r"DOWNLOAD|EXPORT|FILE|FROM|FUTURES|GZ|HIST|HISTORICAL|HISTORY|HOUR|HOURLY|HOURS|INVESTING|"
    r"INVESTING\.COM|JSON|KLINE|KLINES|MARK|MAX|MIN|MINS|MINUTE|MINUTES|MONTH|MONTHLY|OHLC|OHLCV|PARQUET|"
    r"PRICE|PRICES|QUOTES|SEC|SECOND|SECONDS|SPOT|TICKS|TO|TXT|UM|WEEK|WEEKLY|XLSX|YTD"
)
_ENDING = re.compile(
    r"\.(?:csv|txt|tsv|prn|json|jsonl|ndjson|parquet|pq|xlsx|xlsm|gz|gzip|zip|feather)$", re.IGNORECASE
)
_COPY = re.compile(r"(?: ?\([0-9]+\)| - Copy)$")
_INTERVAL = re.compile(
    r"(?:[0-9]{1,4}(?:S|SEC|M|MIN|MINS|H|HOURS?|D|DAYS?|W|MO|MTH|MON|MN|Y)|[SMHDW][0-9]{1,3}|MN1?|[DHWM])"
)
_NUMBER = re.compile(r"[0-9.]+")
_TRADINGVIEW = re.compile(r"([A-Z0-9]+)_([^,]+), ?([0-9]+[SHDWM]?|[DWM])(?:_[0-9a-f]{4,6})?")


def symbol_of(name: str) -> str | None:
    """Return the symbol that a file's whole name says, None where it says none for certain.

    >>> symbol_of("BTCUSDT-1m-2024-01.csv"), symbol_of("BTCUSDT_250926-1h-2025-08.csv"), symbol_of("+.csv")
    ('BTCUSDT', 'BTCUSDT_250926', None)
    >>> symbol_of("BINANCE_BTCUSDT.P, 60.csv"), symbol_of("Binance_ETHUSDT_2023_minute.csv"), symbol_of("EURUSD60.csv")
    ('BTCUSDT', 'ETHUSDT', 'EURUSD')
    >>> symbol_of("BTC_USDT_USDT-1h-futures.json"), symbol_of("btcusd_d.csv"), symbol_of("my best coins.csv")
    ('BTCUSDT', 'BTCUSD', None)
    """
    stem = re.split(r"[/\\]", name)[-1].strip()
    while (shorter := _COPY.sub("", _ENDING.sub("", stem))) != stem:
        stem = shorter
    if found := _TRADINGVIEW.fullmatch(stem):
        stem = found[2]
    try:
        symbol = joined(_telling(tokens(stem.upper().removeprefix("^"))))
        return None if symbol is None else parse_symbol(symbol)
    except ValueError:
        return None


def symbol_of_sheet(book: str, sheet: str) -> str | None:
    """Return the symbol that a sheet's name says, or that of its file if the sheet names no pair.

    >>> symbol_of_sheet("prices.xlsx", "ETH-USDT"), symbol_of_sheet("BTCUSDT-1h.xlsx", "Sheet1")
    ('ETHUSDT', 'BTCUSDT')
    """
    said = symbol_of(sheet)
    return said if said is not None and has_quote(said.partition("_")[0]) else symbol_of(book) or said


def _telling(parts: Sequence[str]) -> list[str]:
    """Return the tokens of a file's name that say its symbol: not its venue, interval, dates and what it holds."""
    parts = list(parts)
    while len(parts) > 1 and _VENUE.fullmatch(parts[0]):
        del parts[0]
    told: list[str] = []
    for place, token in enumerate(parts):
        # A delivery stands right behind the pair; elsewhere six digits are a date.
        if place == len(told) > 0 and is_delivery(token):
            if _is_month(token):
                raise ValueError(f"expected a delivery or a month, received {token!r}, which may be either")
            told.append(token)
        elif not (_WORD.fullmatch(token) or _NUMBER.fullmatch(token)) and (
            place == 0 or not (_VENUE.fullmatch(token) or _INTERVAL.fullmatch(token))
        ):
            told.append(token)
    if (len(parts) == 1 and parts[0].endswith("USD1")) or _is_word(told):
        return []
    return _without_words(told) if told else []


def _without_words(told: Sequence[str]) -> list[str]:
    """Return the words of a pair without those behind it, except words of a contract."""
    pair = 1 if has_quote(told[0]) else 2 if told[1:] and told[1] in QUOTES else len(told)
    return [*told[:pair], *(token for token in told[pair:] if not _is_other_word(token))]


def _is_other_word(token: str) -> bool:
    is_word = token.isascii() and token.isalpha() and len(token) > 1
    return is_word and token not in (*PERPETUAL, *QUOTES) and "QUARTER" not in token


def _is_word(told: Sequence[str]) -> bool:
    """Return whether the name is a single word longer than a ticker."""
    return (
        len(told) == 1
        and len(told[0]) > 5
        and told[0].isascii()
        and told[0].isalpha()
        and (not told[0].endswith(QUOTES))
    )


def _is_month(token: str) -> bool:
    return len(token) == 6 and 2009 <= int(token[:4]) <= 2100 and 1 <= int(token[4:]) <= 12
