"""Mail to a server that takes it, refuses it, or is away."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from services.contracts.targets import AlertNotification
from services.delivery.channels import mail, texts
from services.delivery.channels.answer import Answer
from services.delivery.settings import DeliverySettings
from tests.ports import free_port
from tests.unit.rules.test_routing import alert


class Server:
    """Takes mail but for nobody@example.org."""

    def __init__(self) -> None:
        self.taken: list[tuple[list[str], bytes]] = []

    async def handle_RCPT(  # noqa: N802  # the library's name
        self, _: Any, __: Any, envelope: Any, address: str, ___: Any
    ) -> str:
        """Take or refuse an address."""
        if address.startswith("nobody"):
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _: Any, __: Any, envelope: Any) -> str:  # noqa: N802  # likewise
        """Take a mail."""
        self.taken.append((envelope.rcpt_tos, envelope.content))
        return "250 OK"


@pytest.fixture
def server() -> Iterator[tuple[Server, int]]:
    handler = Server()
    port = free_port()
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield handler, port
    finally:
        controller.stop()


def send(port: int, *to: str, **more: Any) -> Answer:
    """Send a mail of two alerts."""
    settings = DeliverySettings(
        smtp_host="127.0.0.1", smtp_port=port, smtp_security="none", smtp_from="alerts@example.org", **more
    )
    told = AlertNotification(
        kind="begun",
        target="desk",
        group={},
        alerts=(alert(message="z-score\r\nBcc: all@example.org"), alert()),
    )
    return asyncio.run(mail.send(settings, texts.mail(told, "dlv_1", settings.smtp_from, to)))


def test_a_mail_is_taken_with_an_id_that_stays(server: tuple[Server, int]) -> None:
    handler, port = server
    assert send(port, "a@example.org", "b@example.org") == Answer(None, 250)
    ((addresses, content),) = handler.taken
    assert addresses == ["a@example.org", "b@example.org"]
    assert b"Message-ID: <dlv_1@example.org>" in content
    assert b"Subject: [pairstream] z-score Bcc: all@example.org" in content
    assert b"\nBcc:" not in content.partition(b"\r\n\r\n")[0]


@pytest.mark.parametrize("to", [("nobody@example.org",), ("a@example.org", "nobody@example.org")])
def test_an_address_that_is_refused_is_told(server: tuple[Server, int], to: tuple[str, ...]) -> None:
    answer = send(server[1], *to)
    assert answer.status == 550
    assert "no such user" in (answer.problem or "")


def test_a_server_that_is_away_or_none_is_told() -> None:
    assert "expected the server to take the mail" in (send(free_port(), "a@example.org").problem or "")
    answer = asyncio.run(mail.send(DeliverySettings(), texts.mail(_test(), "d", "a@b", ("c@d",))))
    assert "expected a server for mail in PAIRSTREAM_SMTP_HOST" in (answer.problem or "")


def _test() -> AlertNotification:
    return AlertNotification(kind="test", target="desk", group={}, alerts=())
