"""Readiness of the pipeline: the API reports every service healthy, and the dashboard answers.

The past that ingest plays at its start is not waited for: it takes as long as its readers do. Nor is anybody who would
acknowledge what was lost before. The last signal of a pair may be of an earlier run, which ended with a leg that went
quiet: a new one is waited for, a few seconds.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx

from services.common.errors import FatalError
from services.local.supervisor import Child

TIMEOUT_S = 60.0
# A market in which nothing trades has no new signals.
STALE_S = 3.0
# A service that has ended this often before it was ever healthy will not recover.
_RESTARTS = 3


async def wait(api: str, ui: str, services: Sequence[Child], api_key: str | None = None) -> dict[str, str]:
    """Return when all is healthy; the FatalError names what is not, after `TIMEOUT_S` or too many restarts.

    `api` and `ui` are the base URLs. Returned are the pairs that are stale still `STALE_S` later, each with the reason.
    """
    deadline = asyncio.get_running_loop().time() + TIMEOUT_S
    headers = {} if api_key is None else {"X-API-Key": api_key}
    async with httpx.AsyncClient(timeout=2, headers=headers) as client:
        while missing := await _missing(client, api, ui):
            for child in services:
                if child.restarts >= _RESTARTS:
                    raise FatalError(
                        f"{child.command.name} ended {child.restarts} times before it was healthy; "
                        f"at last it {child.reason}"
                    )
            if asyncio.get_running_loop().time() > deadline:
                raise FatalError(f"not ready after {TIMEOUT_S:g} s, still waiting for: {', '.join(missing)}")
            await asyncio.sleep(0.1)
        deadline = asyncio.get_running_loop().time() + STALE_S
        while stale := await _stale(client, api):
            if asyncio.get_running_loop().time() > deadline:
                break
            await asyncio.sleep(0.1)
        return stale


async def _stale(client: httpx.AsyncClient, api: str) -> dict[str, str]:
    pairs = (await _get(client, f"{api}/v1/pairs")).get("data", ())
    measured = [(pair["pair"], pair["last_signal"]) for pair in pairs if not pair["paused"]]
    return {name: str(last["reason"]) for name, last in measured if last and last["quality"] == "stale"}


async def _missing(client: httpx.AsyncClient, api: str, ui: str) -> list[str]:
    status = await _get(client, f"{api}/v1/status")
    if not status:
        return ["api"]
    missing = [service["service"] for service in status["services"] if not _is_healthy(service)]
    return missing if await _get(client, f"{ui}/healthz") else [*missing, "ui"]


def _is_healthy(service: dict[str, Any]) -> bool:
    processes = service["instances"]
    return service["healthy"] or (bool(processes) and all(process["healthy"] for process in processes))


async def _get(client: httpx.AsyncClient, url: str) -> dict[str, Any]:
    try:
        answer = await client.get(url)
    except httpx.TransportError:
        return {}
    return dict(answer.json()) if answer.status_code == httpx.codes.OK else {}
