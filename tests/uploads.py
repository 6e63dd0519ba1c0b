"""Files of bars for upload, and an API that takes them."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from services.common.clock import MINUTE, to_iso
from tests.api_process import START_US, ApiProcess, running_api, store, tick
from tests.fix_broker import embedded_broker

HEADER = "time,symbol,open,high,low,close,volume"
MINUTES = 240


def row(minute: int, symbol: str, volume: str = "1.5") -> str:
    close = 100 + (minute * 7 % 13) / 4
    return f"{to_iso(START_US + minute * MINUTE)},{symbol},{close},{close + 1},{close - 1},{close + 0.5},{volume}"


LONG = "\n".join(
    [HEADER, *(row(minute, leg) for minute in range(MINUTES) for leg in ("ETH/USDT", "BTCUSDT"))]
)


@contextmanager
def running_api_for_uploads(store_url: str) -> Iterator[ApiProcess]:
    """Start an API over a store with one tick, which takes up to 2 MB at once."""
    store(store_url, [tick(1)])
    variables = {"PAIRSTREAM_API_UPLOAD_LIMIT": "2MB", "PAIRSTREAM_API_RATE_LIMIT": "1000/second"}
    with embedded_broker() as broker, running_api(broker, store_url, variables=variables) as running:
        yield running


def upload(
    api: ApiProcess, *files: tuple[str, str | bytes], to: str = "/v1/datasets", **fields: str
) -> httpx.Response:
    return api.http.post(
        to,
        files=[("files", (name, text.encode() if isinstance(text, str) else text)) for name, text in files],
        data=fields,
        timeout=60,
    )
