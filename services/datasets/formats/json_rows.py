"""JSON as venues answer with bars: arrays or objects in a list, wherever in the document it is."""

import codecs
import re
from collections.abc import Iterator, Sequence
from typing import Any, cast

import msgspec

from services.common.compressed_files import FileError, Packed
from services.contracts.symbol_forms import market_symbol
from services.datasets.formats.chunks import as_csv

_TEXT = r'"(?:[^"\\]|\\.)*"'
# A bar is what holds nothing that holds something; all else is what it stands in.
_TOKEN = re.compile(
    rf'(?P<row>\[[^\[\]{{}}"]*(?:{_TEXT}[^\[\]{{}}"]*)*\]|\{{[^\[\]{{}}"]*(?:{_TEXT}[^\[\]{{}}"]*)*\}})'
    rf'|(?P<text>{_TEXT})|(?P<open>[\[{{])|(?P<close>[\]}}])|(?P<other>[^\[\]{{}}"]+|")'
)
_BYTES = 1 << 18
_LONGEST_ROW = 1 << 16
_SYMBOL_KEYS = ("symbol", "ticker", "pair", "instrument", "s")
# Kraken writes X before a coin and Z before a currency.
_KRAKEN = re.compile(r"X([A-Z]{3,4})Z([A-Z]{3})")
# CoinGecko's prices are pairs of a time and a price.
_PRICES = "prices"


class JsonRows:
    """The rows of a document as csv. `symbol` is what it says before the first row, None if it does not."""

    def __init__(self, stream: Packed, first: bytes, name: str) -> None:
        """`first` has been read already. FileError, now or later, if the document has no rows or is cut off."""
        self._stream = stream
        self._name = name
        self._rest = first
        self._names: list[str] | None = None
        self._group: str | None = None
        self.symbol: str | None = None
        self._found = self._groups()
        self._head = next(self._found, None)
        if self._head is None:
            raise FileError(name, "expected bars as arrays or objects in a list of JSON, received none", 1)

    def csv(self) -> Iterator[bytes]:
        """Yield the rows as lines of csv."""
        return as_csv(self._rows())

    def _rows(self) -> Iterator[Sequence[object]]:
        assert self._head is not None, "made sure of at the start"
        first, group = self._head
        self._group = group
        if isinstance(first, dict):
            self._names = list(first)
            has_symbol = any(key in first for key in _SYMBOL_KEYS[:-1])
            of = [] if has_symbol or _symbol(group) is None else ["symbol"]
            yield [*self._names, *of]
            yield [*first.values(), *([group] if of else [])]
            for row, found in self._found:
                if isinstance(row, dict):
                    yield [*(row.get(key) for key in self._names), *([found] if of else [])]
            return
        if group == _PRICES and len(first) == 2:
            yield ["time", "close"]
        yield first
        for row, found in self._found:
            if found != group:
                if _symbol(found) is not None and _symbol(group) is not None:
                    raise FileError(
                        self._name, f"expected arrays of one symbol, received {group} and {found}"
                    )
                continue
            if isinstance(row, list):
                yield row

    def _groups(self) -> Iterator[tuple[Any, str | None]]:
        """Yield each row with the name of the list that it is in."""
        depth, keys = 0, cast("list[str | None]", [None])
        text: str | None = None
        key: str | None = None
        for token in self._tokens():
            kind, said = token.lastgroup, token[0]
            if kind == "row":
                row = self._decoded(said)
                if row:
                    if self.symbol is None:
                        self.symbol = _symbol(keys[-1])
                    yield row, keys[-1]
            elif kind == "text":
                if key in _SYMBOL_KEYS and self.symbol is None:
                    self.symbol = _symbol(said[1:-1])
                text, key = said[1:-1], None
            elif kind == "open":
                depth += 1
                keys.append(key if said == "[" or key else keys[-1])
                key = None
            elif kind == "close":
                depth -= 1
                if depth < 0:
                    raise FileError(self._name, "expected JSON, received a bracket too many")
                keys.pop()
            else:
                key = text if said.lstrip().startswith(":") else None
        if depth:
            raise FileError(self._name, "expected a whole JSON document, but it is cut off")

    def _tokens(self) -> Iterator["re.Match[str]"]:
        decoder, ended, text = codecs.getincrementaldecoder("utf-8")(), False, ""
        while not ended:
            part = self._rest or self._stream.read(_BYTES)
            self._rest = b""
            ended = not part
            try:
                text += decoder.decode(part, final=ended)
            except UnicodeDecodeError as error:
                raise FileError(self._name, f"expected JSON in UTF-8, received {error}") from None
            tokens = list(_TOKEN.finditer(text))
            sure = tokens if ended else _certain(tokens)
            yield from sure
            text = text[sure[-1].end() :] if sure else text
            if len(text) > _LONGEST_ROW + _BYTES:
                expected = f"expected values of at most {_LONGEST_ROW:,} bytes, received a longer one"
                raise FileError(self._name, expected)

    def _decoded(self, text: str) -> Any:
        try:
            return msgspec.json.decode(text)
        except msgspec.DecodeError as error:
            raise FileError(self._name, f"expected JSON, received {text[:80]!r}: {error}") from None


def _certain(tokens: Sequence["re.Match[str]"]) -> Sequence["re.Match[str]"]:
    """Return the tokens up to the last bracket that closes: what is behind it, or a text without its end, may go on."""
    whole = next((place for place, token in enumerate(tokens) if token[0] == '"'), len(tokens))
    last = next((n for n in range(whole, 0, -1) if tokens[n - 1].lastgroup in ("row", "close")), 0)
    return tokens[:last]


def _symbol(name: str | None) -> str | None:
    """Return the symbol that a name in a document is, None if it is that of a list or a field."""
    if name is None or name != name.upper() or name.isdecimal():
        return None
    if kraken := _KRAKEN.fullmatch(name):
        name = kraken[1] + kraken[2]
    try:
        return market_symbol(name)
    except ValueError:
        return None
