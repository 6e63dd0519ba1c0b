"""Tabs without a browser: they speak the dashboard's WebSocket and answer at once, the most a server can be asked."""

import asyncio
import time
import uuid
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import psutil
from websockets.asyncio.client import ClientConnection, connect

WARM_S, MEASURED_S = 5.0, 20.0


@dataclass(frozen=True)
class Tab:
    """What a real tab asked for, and what it looked at."""

    request: Any
    selection: dict[str, Any]


def watch(url: str, tabs: list[Tab], process: psutil.Process) -> tuple[float, float, float]:
    """Return the process's share of one core in per cent, and frames and kilobytes per second of each of `tabs`."""
    return asyncio.run(_watch(url, tabs, process))


async def _watch(url: str, tabs: list[Tab], process: psutil.Process) -> tuple[float, float, float]:
    counts = _Counts()
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(_live(url, tab, counts)) for tab in tabs]
        await asyncio.sleep(WARM_S)
        before, busy, began = replace(counts), _seconds(process), time.monotonic()
        await asyncio.sleep(MEASURED_S)
        elapsed, busy = time.monotonic() - began, _seconds(process) - busy
        frames, size = counts.frames - before.frames, counts.size - before.size
        for task in running:
            task.cancel()
    each = elapsed * len(tabs)
    return 100 * busy / elapsed, frames / each, size / each / 1000


@dataclass
class _Counts:
    frames: int = 0
    size: int = 0


def _seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


async def _live(url: str, tab: Tab, counts: _Counts) -> None:
    me = str(uuid.uuid4())
    props = {"selection": {"data": {**tab.selection, "tab": me}}, "mark": {"data": None}}
    async with connect(
        f"ws{url.removeprefix('http')}/_dash-ws-callback", origin=url, max_size=None
    ) as socket:
        await _send(socket, "callback_request", me, str(uuid.uuid4()), tab.request)
        async for raw in socket:
            counts.size += len(raw)
            said = msgspec.json.decode(raw)
            for message in said if isinstance(said, list) else [said]:
                if message["type"] != "get_props_request":
                    continue
                asked = message["payload"]
                counts.frames += asked["componentId"] == "selection"
                known = props.get(asked["componentId"], {})
                answer = {name: known.get(name) for name in asked["properties"]}
                await _send(socket, "get_props_response", me, message["requestId"], answer)


async def _send(socket: ClientConnection, kind: str, me: str, request_id: str, payload: Any) -> None:
    message = {"type": kind, "rendererId": me, "requestId": request_id, "payload": payload}
    await socket.send(msgspec.json.encode(message).decode())
