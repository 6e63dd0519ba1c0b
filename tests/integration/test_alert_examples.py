"""Examples of docs/examples: a receiver that verifies signatures, and a reader of the topic."""

import asyncio
import importlib.util
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from standardwebhooks import Webhook

from services.common.codec import encode
from services.contracts.targets import AlertNotification
from services.contracts.topics import ALERTS
from services.delivery.channels import texts
from services.delivery.channels.http import signed
from tests.broker import produce
from tests.fix_broker import embedded_broker
from tests.receivers import OTHER_SECRET, SECRET
from tests.unit.rules.test_routing import alert

pytestmark = pytest.mark.integration
EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


def test_the_receiver_takes_what_is_signed_and_each_message_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SECRET", SECRET)
    spec = importlib.util.spec_from_file_location("webhook_receiver", EXAMPLES / "webhook_receiver.py")
    assert spec is not None
    assert spec.loader is not None
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    assert isinstance(example.webhook, Webhook)
    told = AlertNotification(kind="begun", target="bot", group={}, alerts=(alert(message="wide"),))
    body = texts.webhook_body(told, 0)

    def post(name: str, *secrets: str) -> int:
        async def posted() -> httpx.Response:
            transport = httpx.ASGITransport(example.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://receiver.test") as client:
                headers = signed(name, body, datetime.now(UTC), secrets)
                return await client.post("/alerts", content=body, headers=headers)

        return asyncio.run(posted()).status_code

    assert [post("dlv_1", OTHER_SECRET, SECRET) for _ in range(2)] == [204, 204]
    assert capsys.readouterr().out == "alert.begun ETHUSDT-BTCUSDT wide\n"
    assert post("dlv_2", OTHER_SECRET) == 401


def test_the_reader_prints_each_alert_once() -> None:
    first, second = alert(message="wide"), alert("resolved", message="narrow")
    with embedded_broker() as broker:
        produce(broker, ALERTS.name, [(encode(one), 0) for one in (first, first, second)])
        command = [sys.executable, str(EXAMPLES / "read_alerts.py"), broker]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as reader:
            assert reader.stdout is not None
            lines = [reader.stdout.readline() for _ in range(2)]
            reader.kill()
    assert lines == ["firing ETHUSDT-BTCUSDT wide\n", "resolved ETHUSDT-BTCUSDT narrow\n"]
