"""Logins of the dashboard: who is believed, and for how long a tab has its connection."""

import asyncio
from ipaddress import ip_network

import pytest
from starlette.types import Message, Receive, Scope, Send

from services.common.http.identity import Person
from services.ui import security
from services.ui.api.client import signed_in
from services.ui.logins import GROUPS, USER

PROXY = "192.0.2.1"


def scope(kind: str, peer: str, headers: list[tuple[str, str]]) -> Scope:
    return {
        "type": kind,
        "method": "GET",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in [("Host", "desk"), *headers]],
        "client": (peer, 1),
        "extensions": {"websocket.http.response": {}},
    }


def served(asked: Scope, *, waits: bool = False) -> tuple[list[Person | None], list[Message]]:
    """Return for whom the page behind the middleware served a request, and what was said."""
    persons: list[Person | None] = []
    said: list[Message] = []

    async def page(scope: Scope, receive: Receive, send: Send) -> None:
        persons.append(signed_in.get())
        if waits:
            await asyncio.Event().wait()

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        said.append(message)

    guard = security.SecurityMiddleware(page, (), [ip_network(PROXY)], ("operators",))
    asyncio.run(guard(asked, receive, send))
    return persons, said


@pytest.mark.parametrize(
    ("groups", "role"),
    [
        ([], "reader"),
        (["staff, operators"], "operator"),
        (["staff", "operators"], "operator"),
        (["Operators,operators2"], "reader"),
    ],
)
def test_a_group_makes_an_operator(groups: list[str], role: str) -> None:
    headers = [(USER, "alice"), *((GROUPS, group) for group in groups)]
    persons, _ = served(scope("http", PROXY, headers))
    assert [(person.name, person.role) for person in persons if person] == [("alice", role)]


@pytest.mark.parametrize(
    ("peer", "headers", "says"),
    [
        ("192.0.2.2", [(USER, "alice")], b"PAIRSTREAM_UI_PROXIES"),
        ("192.0.2.2", [(USER, "alice"), ("X-Forwarded-For", PROXY)], b"PAIRSTREAM_UI_PROXIES"),
        (PROXY, [], b"received 0 of it"),
        (PROXY, [(USER, "alice"), (USER, "root")], b"received 2 of it"),
        (PROXY, [(USER, "")], b"received ''"),
        (PROXY, [(USER, "two words")], b"received 'two words'"),
    ],
)
def test_who_is_not_believed_gets_nothing(peer: str, headers: list[tuple[str, str]], says: bytes) -> None:
    persons, said = served(scope("http", peer, headers))
    assert (persons, said[0]["status"], says in said[1]["body"]) == ([], 401, True)


def test_a_tab_is_asked_again_who_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(security, "LOGIN_S", 0.01)
    persons, said = served(scope("websocket", PROXY, [(USER, "alice")]), waits=True)
    assert len(persons) == 1
    assert said == [{"type": "websocket.close", "code": 1012, "reason": "log in again"}]
