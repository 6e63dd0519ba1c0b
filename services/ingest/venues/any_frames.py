"""Frames of any venue: the parser for recordings that mix several venues."""

from collections.abc import Sequence
from decimal import Decimal

import msgspec
from msgspec import Struct

from services.common.errors import BadMessageError
from services.ingest.venues.binance import frames as binance_frames
from services.ingest.venues.okx import frames as okx_frames
from services.ingest.venues.okx.frames import Contracts, OkxInstrument
from services.ingest.venues.venue import Acknowledgement, Event

_INSTRUMENTS = "instruments"


class _Argument(Struct):
    channel: str
    instType: str = "SWAP"  # noqa: N815 - the venue's name


class _Instruments(Struct):
    arg: _Argument
    data: list[OkxInstrument]


_instruments = msgspec.json.Decoder(_Instruments)


class AnyFrames:
    """Recognises the venue of each frame, and learns the unit of its sizes from earlier frames."""

    def __init__(self) -> None:
        self._contracts: dict[str, Decimal] = {}

    def events(self, raw: bytes, received_us: int) -> Sequence[Event]:
        """Return the events of a frame, none for another kind; the BadMessageError tells the damage."""
        # Every message of OKX has one of these, none of Binance's has.
        if b'"arg"' in raw or b'"event"' in raw or raw == b"pong":
            if b'"instruments"' in raw:
                self._learn(raw)
            parsed = okx_frames.parse(raw, self._contracts, received_us)
        else:
            parsed = binance_frames.parse(raw, received_us)
        return () if isinstance(parsed, Acknowledgement) else parsed

    def _learn(self, raw: bytes) -> None:
        try:
            push = _instruments.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BadMessageError(f"expected instruments of OKX, received {raw[:120]!r}: {error}") from error
        for entry in push.data:
            if (contract := okx_frames.contract_of(entry)) is not None:
                self._contracts[entry.instId] = contract


def instruments(contracts: Contracts) -> bytes:
    """Return the contracts as OKX would push them, for a recording: its trades do not say how large a contract is."""
    data = [
        {
            "instId": name,
            "ctType": "linear",
            "ctVal": f"{size:f}",
            "ctMult": "1",
            "ctValCcy": name.partition("-")[0],
        }
        for name, size in contracts.items()
    ]
    return msgspec.json.encode({"arg": {"channel": _INSTRUMENTS, "instType": "SWAP"}, "data": data})
