"""Whose bars a file holds: the symbol in its name or in a column, by the conventions of venues and tools."""

import re
from collections.abc import Sequence
from datetime import datetime

from services.contracts.pairs import parse_symbol

_QUOTES = (
    *("USDT", "USDC", "FDUSD", "BUSD", "TUSD", "USDE", "USD1", "PYUSD", "DAI", "USD", "EUR", "GBP", "JPY"),
    *("TRY", "BRL", "AUD", "CAD", "CHF", "KRW", "BTC", "XBT", "ETH", "BNB"),
)
_COUNTRIES = ("US", "UK", "DE", "JP", "HK", "PL", "HU")
_LINEAR = ("USDT", "USDC", "FDUSD", "BUSD", "TUSD", "USDE", "USD1")
_PERPETUAL = ("SWAP", "PERP", "PERPETUAL", "P")
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
# MetaTrader 4 writes the minutes of its period behind the symbol.
_PERIOD = re.compile(r"(.{6,})(5|15|30|60|240|1440|10080|43200)")
_SPLIT = re.compile(r"[-_, ]+")
_UNIFIED = re.compile(r"([^/]+)/([^/:]+)(?::([^-]+)(?:-([0-9]{6})(?:-.*)?)?)?")
_PREFIXED = re.compile(r"[A-Z_]{1,15}:(.+)")


def market_symbol(text: str) -> str:
    """Return the symbol in the form of ours; ValueError if it cannot be one.

    A perpetual priced in a dollar coin is called as its pair, one that settles in its coin with _PERP.

    >>> market_symbol("btc/usdt"), market_symbol("BTC-USDT"), market_symbol("BTC/USDT:USDT-250926")
    ('BTCUSDT', 'BTCUSDT', 'BTCUSDT_250926')
    >>> market_symbol("BINANCE:BTCUSDT.P"), market_symbol("BTC/USD:BTC"), market_symbol("BTC-USDT-SWAP")
    ('BTCUSDT', 'BTCUSD_PERP', 'BTCUSDT')
    """
    name = text.strip().upper()
    try:
        return parse_symbol(name)
    except ValueError:
        if unified := _UNIFIED.fullmatch(name):
            base, quote, settled, expiry = unified.groups()
            end = f"_{expiry}" if expiry else "_PERP" if settled not in (None, quote) else ""
            return parse_symbol(f"{base.partition(':')[2] or base}{quote}{end}")
        if prefixed := _PREFIXED.fullmatch(name):
            name = prefixed[1]
        joined = _joined(_tokens(name.removesuffix("=X").removeprefix("^")))
        if joined is None:
            joined = name.replace("/", "").replace("-", "")
        try:
            return parse_symbol(joined)
        except ValueError:
            raise ValueError(f"expected a symbol such as BTCUSDT, received {text!r}") from None


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
        joined = _joined(_telling(_tokens(stem.upper().removeprefix("^"))))
        return None if joined is None else parse_symbol(joined)
    except ValueError:
        return None


def symbol_of_sheet(book: str, sheet: str) -> str | None:
    """Return the symbol that a sheet's name says, or that of its file if the sheet names no pair.

    >>> symbol_of_sheet("prices.xlsx", "ETH-USDT"), symbol_of_sheet("BTCUSDT-1h.xlsx", "Sheet1")
    ('ETHUSDT', 'BTCUSDT')
    """
    said = symbol_of(sheet)
    return said if said is not None and _has_quote(said.partition("_")[0]) else symbol_of(book) or said


def _tokens(text: str) -> list[str]:
    return [token.removesuffix("=X") for token in _SPLIT.split(text.strip()) if token]


def _telling(tokens: Sequence[str]) -> list[str]:
    """Return the tokens of a file's name that say its symbol: not its venue, interval, dates and what it holds."""
    tokens = list(tokens)
    while len(tokens) > 1 and _VENUE.fullmatch(tokens[0]):
        del tokens[0]
    told: list[str] = []
    for place, token in enumerate(tokens):
        # A delivery stands right behind the pair; elsewhere six digits are a date.
        if place == len(told) > 0 and _is_delivery(token):
            if _is_month(token):
                raise ValueError(f"expected a delivery or a month, received {token!r}, which may be either")
            told.append(token)
        elif not (_WORD.fullmatch(token) or _NUMBER.fullmatch(token)) and (
            place == 0 or not (_VENUE.fullmatch(token) or _INTERVAL.fullmatch(token))
        ):
            told.append(token)
    if (len(tokens) == 1 and tokens[0].endswith("USD1")) or _is_word(told):
        return []
    return _without_words(told) if told else []


def _without_words(told: Sequence[str]) -> list[str]:
    """Return what is told of a pair: the words behind it say something else, unless they are of a contract."""
    pair = 1 if _has_quote(told[0]) else 2 if told[1:] and told[1] in _QUOTES else len(told)
    return [*told[:pair], *(token for token in told[pair:] if not _is_other_word(token))]


def _is_other_word(token: str) -> bool:
    is_word = token.isascii() and token.isalpha() and len(token) > 1
    return is_word and token not in (*_PERPETUAL, *_QUOTES) and "QUARTER" not in token


def _is_word(told: Sequence[str]) -> bool:
    """Return whether all that is told is a word longer than a ticker."""
    return (
        len(told) == 1
        and len(told[0]) > 5
        and told[0].isascii()
        and told[0].isalpha()
        and (not told[0].endswith(_QUOTES))
    )


def _joined(tokens: Sequence[str]) -> str | None:
    """Return one symbol made of its parts, None if they are no parts of one."""
    if not tokens:
        return None
    first, *rest = tokens
    first, dot, venue = first.partition(".")
    if dot and venue in _PERPETUAL:
        rest, dot, venue = [venue, *rest], "", ""
    if rest and rest[0] in _QUOTES and not _has_quote(first):
        if first in _QUOTES[: _QUOTES.index(rest[0])]:
            return None  # some name the quote first
        first += rest.pop(0)
        if rest and rest[0] in _QUOTES and first.endswith(rest[0]):
            del rest[0]  # what a unified perpetual settles in
    if rest and rest[0] in _PERPETUAL and _has_quote(first):
        del rest[0]
        if not first.endswith(_LINEAR):
            first += "_PERP"
    if rest and _is_delivery(rest[0]):
        first += f"_{rest.pop(0)}"
    if rest and rest[0] in _COUNTRIES and not dot and not _has_quote(first):
        dot, venue = ".", rest.pop(0)  # as Stooq says where a share is listed
    if rest:
        return None
    if (period := _PERIOD.fullmatch(first)) and period[1].endswith(_QUOTES):
        first = period[1]
    return first + dot + venue


def _has_quote(first: str) -> bool:
    return any(first.endswith(quote) and first != quote for quote in _QUOTES)


def _is_delivery(token: str) -> bool:
    try:
        datetime.strptime(token, "%y%m%d")  # noqa: DTZ007
    except ValueError:
        return False
    return len(token) == 6


def _is_month(token: str) -> bool:
    return len(token) == 6 and 2009 <= int(token[:4]) <= 2100 and 1 <= int(token[4:]) <= 12
