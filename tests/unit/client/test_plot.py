"""Plot of a pair by the Python client, on a scripted API."""

import sys
from typing import Any

import httpx
import pytest
from pairstream_client import Client

from services.common import clock

PAIR = "ETHUSDT-BTCUSDT"
START_US = 1_700_000_000_000_000


def signal(n: int, quality: str = "ok") -> dict[str, Any]:
    us = START_US + n * clock.SECOND
    return {
        "event_us": us,
        "event_time": clock.to_iso(us),
        "spread": n / 2,
        "zscore": float(n),
        "quality": quality,
    }


def alert(n: int, state: str) -> dict[str, Any]:
    us = START_US + n * clock.SECOND
    return {"event_us": us, "event_time": clock.to_iso(us), "state": state, "message": f"z of second {n}"}


def answer(request: httpx.Request) -> httpx.Response:
    answers: dict[str, Any] = {
        f"/v1/pairs/{PAIR}": {"entry_z": 2.0, "exit_z": 0.5},
        f"/v1/pairs/{PAIR}/signals": {
            "feed": "replay",
            "data": [signal(0), signal(1), signal(2, "stale"), signal(3)],
        },
        "/v1/alerts": {
            "feed": "replay",
            "data": [alert(9, "firing"), alert(3, "firing"), alert(1, "resolved")],
        },
    }
    return httpx.Response(200, json=answers[request.url.path])


def client() -> Client:
    opened = Client("http://api.test")
    opened.close()
    opened._http = httpx.Client(base_url="http://api.test", transport=httpx.MockTransport(answer))
    return opened


def test_spread_zscore_thresholds_and_alerts_are_drawn() -> None:
    with client() as opened:
        figure = opened.plot(PAIR).to_dict()
    spread, zscore, alerts = figure["data"]
    assert list(spread["y"]) == [0, 0.5, None, 1.5]
    assert list(zscore["y"]) == [0.0, 1.0, None, 3.0]
    assert list(zscore["x"]) == [signal(n)["event_time"] for n in range(4)]
    assert [list(alerts[name]) for name in ("y", "text")] == [
        [3.0, 1.0],
        ["firing: z of second 3", "resolved: z of second 1"],
    ]
    assert sorted(line["y0"] for line in figure["layout"]["shapes"]) == [-2.0, -0.5, 0.5, 2.0]
    assert figure["layout"]["title"]["text"] == f"{PAIR}, replay feed"


def test_without_plotly_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "plotly.subplots", None)
    with client() as opened, pytest.raises(ImportError, match="pip install plotly"):
        opened.plot(PAIR)
