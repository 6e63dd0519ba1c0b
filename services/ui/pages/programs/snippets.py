"""Snippets: programs that read pairstream, to copy; a test runs each of them."""

from typing import NamedTuple


class Snippet(NamedTuple):
    """Snippet: its purpose, its requirements, and its text with ``$API``, ``$SYMBOL``, ... to be filled in."""

    key: str
    title: str
    needs: str
    text: str


SNIPPETS = (
    Snippet(
        "http",
        "Bars by HTTP",
        "pip install httpx",
        """\
import httpx

asked = {"symbol": "$SYMBOL", "interval": "1m", "limit": 5}
answer = httpx.get("$API/v1/bars", params=asked)
answer.raise_for_status()
for bar in answer.json()["data"]:
    print(bar["start_time"], bar["close"], bar["closed"], bar["coverage"])
""",
    ),
    Snippet(
        "client",
        "Signals as a DataFrame",
        "pip install httpx pandas, and the file docs/client/pairstream_client.py beside yours",
        """\
from pairstream_client import Client

with Client("$API") as client:
    signals = client.signals("$PAIR", limit=300).frame()
print(signals[["spread", "zscore"]].describe())
""",
    ),
    Snippet(
        "websocket",
        "What is new, by WebSocket",
        "pip install websockets",
        """\
from websockets.sync.client import connect

url = "$STREAM/v1/stream?topics=ticks,signals,alerts"
with connect(url) as socket:
    # A snapshot first, then what is new: of ticks the latest of each symbol.
    for message in socket:
        print(message)
""",
    ),
    Snippet(
        "events",
        "The same as server-sent events",
        "pip install httpx",
        """\
import httpx

url = "$API/v1/events?topics=signals"
with httpx.stream("GET", url, timeout=None) as answer:
    for line in answer.iter_lines():
        print(line)
""",
    ),
    Snippet(
        "kafka",
        "The topics themselves",
        "pip install aiokafka",
        """\
import asyncio
from aiokafka import AIOKafkaConsumer

async def main():
    consumer = AIOKafkaConsumer("signals", bootstrap_servers="$BROKERS")
    async with consumer:
        async for message in consumer:
            print(message.key, message.value)

asyncio.run(main())
""",
    ),
)


def filled(text: str, api: str, symbol: str, pair: str, brokers: str) -> str:
    """Return a text for one API and one broker.

    >>> filled("$STREAM/v1/stream?symbols=$SYMBOL", "https://a.test", "BTCUSDT", "A-B", "b:9092")
    'wss://a.test/v1/stream?symbols=BTCUSDT'
    """
    names = {
        "$API": api,
        "$STREAM": f"ws{api.removeprefix('http')}",
        "$SYMBOL": symbol,
        "$PAIR": pair,
        "$BROKERS": brokers,
    }
    for name, value in names.items():
        text = text.replace(name, value)
    return text
