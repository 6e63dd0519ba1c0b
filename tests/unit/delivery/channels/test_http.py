"""Webhooks over real sockets: signed, to checked addresses alone, certificates of the name, no redirects."""

import asyncio
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any

import pytest
import trustme

from services.delivery.channels.answer import Answer
from services.delivery.channels.http import HttpChannel, signed
from tests.receivers import OTHER_SECRET, SECRET, Received, Receiver, receiver

LOCAL = [ip_network("127.0.0.1/32")]
AUTHORITY = trustme.CA()


@pytest.fixture
def taker() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


class Names:
    """A resolver: the addresses of a name, another list each time it is asked."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)
        self.asked = 0

    async def __call__(self, host: str, port: int, **_: Any) -> list[Any]:
        """Answer as the loop's ``getaddrinfo`` does."""
        found = self._answers[min(self.asked, len(self._answers) - 1)]
        self.asked += 1
        if not found:
            raise OSError(-2, "Name or service not known")
        return [(0, 0, 0, "", (address, port)) for address in found]


def post(
    url: str, names: Names | None = None, trusted: ssl.SSLContext | None = None, times: int = 1
) -> list[Answer]:
    """Post so often, and return the answers."""

    async def posted() -> list[Answer]:
        if names is not None:
            asyncio.get_running_loop().getaddrinfo = names  # type: ignore[method-assign,assignment]
        channel = HttpChannel(LOCAL, 4, trusted)
        try:
            return [await channel.post(url, b"{}", {"webhook-id": f"d{number}"}) for number in range(times)]
        finally:
            await channel.close()

    with asyncio.Runner() as runner:
        return runner.run(posted())


def test_every_secret_signs() -> None:
    body = b'{"text": "\xc3\xa4"}'
    headers = signed("dlv_1", body, now := datetime.now(UTC), [SECRET, OTHER_SECRET])
    received = Received("/", headers, body)
    assert received.verify(SECRET) == received.verify(OTHER_SECRET) == {"text": "ä"}
    assert headers["webhook-timestamp"] == str(int(now.timestamp()))


def test_a_connection_serves_several_messages(taker: Receiver) -> None:
    assert [one.problem for one in post(taker.url("/ok"), times=3)] == [None] * 3
    assert len(taker.ids()) == 3


@pytest.mark.parametrize(
    ("path", "status", "problem", "is_gone", "retry_after_s"),
    [
        ("/fail", 500, "received 500 Internal Server Error: out of order", False, None),
        ("/gone", 410, "received 410 Gone", True, None),
        ("/busy", 429, "received 429 Too Many Requests", False, 3_600),
        ("/redirect", 302, "received 302 Found: redirects are not followed", False, None),
        ("/nowhere", 404, "received 404 Not Found", False, None),
        ("/odd", 599, "received 599", False, None),
    ],
)
def test_what_a_receiver_answers_is_told(
    taker: Receiver, path: str, status: int, problem: str, is_gone: bool, retry_after_s: float | None
) -> None:
    taker.answers["/odd"] = (599, {"Retry-After": "5"}, b"")
    (answer,) = post(taker.url(path))
    assert answer == Answer(f"expected a status of 2xx, {problem}", status, retry_after_s, is_gone)
    assert len(taker.received) == 1


def test_a_long_answer_is_not_read_to_its_end(taker: Receiver) -> None:
    taker.answers["/long"] = (500, {}, b"<x>\x07" * 1_000_000)
    (answer,) = post(taker.url("/long"))
    assert answer.problem is not None
    assert len(answer.problem) < 300
    assert answer.problem.isprintable()


def test_the_address_that_was_checked_is_the_one_that_is_connected_to(taker: Receiver) -> None:
    names = Names(["127.0.0.1"], ["10.0.0.1"])
    url = taker.url("/ok", "rebinds.test")
    (answer,) = post(url, names)
    assert answer == Answer(None, 200)
    assert names.asked == 1, "a name that is asked for twice may be two addresses"
    assert taker.received[0].headers["host"] == f"rebinds.test:{taker.port}"


def test_a_name_that_is_private_among_others_is_refused(taker: Receiver) -> None:
    (answer,) = post(taker.url("/ok", "rebinds.test"), Names(["127.0.0.1", "10.0.0.1"]))
    assert answer.problem is not None
    assert "received 10.0.0.1, which is private" in answer.problem
    assert taker.received == []


def test_an_unknown_name_and_a_closed_port_are_told() -> None:
    (unknown,) = post("http://nobody.test/", Names([]))
    assert "the name nobody.test is not known" in (unknown.problem or "")
    with receiver() as gone:
        url = gone.url("/ok")
    (closed,) = post(url)
    assert (closed.problem or "").startswith("expected an answer by HTTP, received ")


@pytest.mark.parametrize(("name", "arrives"), [("hooks.test", True), ("other.test", False)])
def test_the_certificate_is_that_of_the_name(name: str, arrives: bool) -> None:
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert("hooks.test").configure_cert(theirs)
    ours = ssl.create_default_context()
    AUTHORITY.configure_trust(ours)
    with receiver(theirs) as taker:
        url = taker.url("/ok", name).replace("http:", "https:")
        (answer,) = post(url, Names(["127.0.0.1"]), ours)
        assert (answer.problem is None) == arrives
        assert len(taker.received) == arrives
        if not arrives:
            assert "certificate" in (answer.problem or "").lower()
