"""Requests over a real socket: answers, retries and errors."""

import asyncio
import socket

import msgspec
import pytest

from services.common.errors import BadMessageError, TransientError
from services.ingest.venues import rest as module
from services.ingest.venues.rest import Rest, VenueBusyError, VenueRefusedError
from tests.unit.ingest.venues.rest_server import BUDGET, Clock, Server, http, run

NAMES = msgspec.json.Decoder(list[str])


def test_an_answer_is_its_body_and_parameters_are_sent() -> None:
    async def scenario(server: Server, rest: Rest, _: Clock) -> None:
        server.answer = http(b'["a"]')
        assert await rest.get("/names", symbol="A&B", limit=5) == b'["a"]'
        assert await rest.read(NAMES, "/names") == ["a"]
        assert server.asked == ["/names?symbol=A%26B&limit=5", "/names"]

    run(scenario)


@pytest.mark.parametrize("body", [b"", b"<html>", b'["a"', b'{"a":1}', b"[1]", b'["\xff"]', b"[" * 5000])
def test_a_body_of_another_shape_is_damage(body: bytes) -> None:
    async def scenario(server: Server, rest: Rest, _: Clock) -> None:
        server.answer = http(body)
        with pytest.raises(BadMessageError, match=r"expected another answer from http.*/names, received"):
            await rest.read(NAMES, "/names")

    run(scenario)


def test_a_refusal_carries_the_reason() -> None:
    async def scenario(server: Server, rest: Rest, _: Clock) -> None:
        for status in (
            "400 Bad Request",
            "403 Forbidden",
            "404 Not Found",
            "500 Oh",
            "503 Away",
            "302 Found",
        ):
            server.answer = http(b'{"code":-1121}', status, "Location: /elsewhere")
            with pytest.raises(
                VenueRefusedError, match=rf"expected HTTP 200 from http.*, received {status}"
            ) as caught:
                await rest.get("/names")
            assert caught.value.body == b'{"code":-1121}'
        assert len(server.asked) == 6

    run(scenario)


@pytest.mark.parametrize(
    ("status", "headers", "wait_s"),
    [
        ("429 Slow Down", ["Retry-After: 7"], 7),
        ("418 Teapot", ["Retry-After: 300"], 300),
        ("503 Away", ["Retry-After: 9"], 9),
        ("429 Slow Down", [], 60),
        ("418 Teapot", ["Retry-After: soon"], 120),
        ("429 Slow Down", ["Retry-After: -5"], 60),
        ("429 Slow Down", ["Retry-After: 99999999999"], 3 * 86_400),
        ("429 Slow Down", ["Retry-After: " + "9" * 400], 3 * 86_400),
        (
            "429 Slow Down",
            ["Date: Mon, 23 Nov 2026 04:00:00 GMT", "Retry-After: Mon, 23 Nov 2026 04:00:30 GMT"],
            30,
        ),
    ],
)
def test_a_venue_that_wants_to_be_left_alone_is(status: str, headers: list[str], wait_s: float) -> None:
    async def scenario(server: Server, rest: Rest, clock: Clock) -> None:
        server.answer = http(b"", status, *headers)
        with pytest.raises(VenueBusyError) as caught:
            await rest.get("/names")
        assert caught.value.retry_after_s == wait_s
        server.answer = http(b"[]")
        clock.now_s += wait_s - 1
        with pytest.raises(VenueBusyError, match="left alone for 1 s") as caught:
            await rest.get("/other")
        assert caught.value.retry_after_s == pytest.approx(1)
        assert server.asked == ["/names"]
        clock.now_s += 1
        assert await rest.get("/other") == b"[]"
        assert clock.slept == []

    run(scenario)


def test_a_hold_is_never_shortened_by_a_later_one() -> None:
    async def scenario(server: Server, rest: Rest, clock: Clock) -> None:
        rest.hold("banned", 100)
        rest.hold("too many", 2)
        clock.now_s += 50
        with pytest.raises(VenueBusyError, match="50 s"):
            await rest.get("/names")
        assert server.asked == []

    run(scenario)


def test_requests_wait_for_what_we_spent() -> None:
    async def scenario(server: Server, rest: Rest, clock: Clock) -> None:
        for _ in range(4):
            await rest.get("/heavy")
        assert clock.slept == []
        await rest.get("/heavy")
        assert clock.slept == [60]
        assert len(server.asked) == 5

    run(scenario)


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        (["X-Used: 79"], 60),
        # The venue's minute turns 15 s after its own clock says :45.
        (["X-Used: 79", "Date: Mon, 23 Nov 2026 04:24:45 GMT"], 15),
        (["X-Used: 60", "Date: Mon, 23 Nov 2026 04:24:45 GMT"], None),
        (["X-Used: many"], None),
        (["X-Used: -1"], None),
        (["X-Used: 79", "Date: yesterday"], 60),
    ],
)
def test_requests_wait_for_what_others_spent(headers: list[str], wait_s: float | None) -> None:
    async def scenario(server: Server, rest: Rest, clock: Clock) -> None:
        server.answer = http(b"[]", "200 OK", *headers)
        await rest.get("/names")
        await rest.get("/heavy")
        assert clock.slept == ([] if wait_s is None else [wait_s])

    run(scenario)


def test_whoever_is_in_a_hurry_does_not_wait_for_the_budget_any_longer() -> None:
    async def scenario(server: Server, rest: Rest, clock: Clock) -> None:
        for _ in range(4):
            await rest.get("/heavy")
        clock.now_s += 20
        with rest.hurried(39.9), pytest.raises(VenueBusyError, match="next request in 40 s") as refused:
            await rest.get("/heavy")
        assert refused.value.retry_after_s == 40
        assert (len(server.asked), clock.slept) == (4, [])
        with rest.hurried(40):
            await rest.get("/heavy")
        assert (len(server.asked), clock.slept) == (5, [40])
        for _ in range(4):
            await rest.get("/heavy")
        assert clock.slept == [40, 60]

    run(scenario)


def test_a_ban_during_the_wait_is_obeyed() -> None:
    async def scenario(server: Server, rest: Rest, clock: Clock) -> None:
        server.answer = http(b"[]", "200 OK", "X-Used: 100")
        await rest.get("/names")
        waiting = asyncio.create_task(rest.get("/names"))
        rest.hold("banned", 300)
        with pytest.raises(VenueBusyError):
            await waiting
        assert len(server.asked) == 1

    run(scenario)


def test_a_venue_that_stalls_is_not_waited_for() -> None:
    async def scenario(server: Server, rest: Rest, _: Clock) -> None:
        server.stalls = True
        for answer in (b"", http(b"[", length=100)):
            server.answer = answer
            with pytest.raises(TransientError, match=r"within 0\.1 s, received none"):
                await rest.get("/names")

    run(scenario, timeout_s=0.1)


def test_a_venue_that_sends_a_byte_at_a_time_is_not_waited_for() -> None:
    async def scenario(server: Server, rest: Rest, _: Clock) -> None:
        server.answer, server.drips = http(b"[", length=10_000), True
        with pytest.raises(TransientError, match=r"within 0\.1 s, received none"):
            await rest.get("/names")
        server.drips = False

    run(scenario, timeout_s=0.1)


def test_a_body_too_large_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_BYTES", 1000)

    async def scenario(server: Server, rest: Rest, _: Clock) -> None:
        server.answer = http(b"x" * 1001)
        with pytest.raises(TransientError, match="expected at most 1000 bytes"):
            await rest.get("/names")

    run(scenario)


@pytest.mark.parametrize("answer", [b"", b"half an ans", http(b"[", length=100), b"HTTP/1.1 200 OK\r\nX:"])
def test_a_broken_connection_is_transient(answer: bytes) -> None:
    async def scenario(server: Server, rest: Rest, _: Clock) -> None:
        server.answer = answer
        with pytest.raises(TransientError, match="expected an answer from"):
            await rest.get("/names")

    run(scenario)


def test_a_wrong_encoding_is_transient() -> None:
    async def scenario(server: Server, rest: Rest, _: Clock) -> None:
        server.answer = http(b"no gzip", "200 OK", "Content-Encoding: gzip")
        with pytest.raises(TransientError, match="expected an answer from"):
            await rest.get("/names")

    run(scenario)


def test_nobody_listening_no_name_and_no_certificate_are_transient(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(server: Server, _: Rest, clock: Clock) -> None:
        server.speaks_first = True
        async with Rest(f"https://127.0.0.1:{server.port}", BUDGET) as tls:
            with pytest.raises(TransientError, match="expected an answer from https"):
                await tls.get("/names")
        async with Rest("http://127.0.0.1:1", BUDGET) as closed:
            with pytest.raises(TransientError, match=r"expected an answer from http://127\.0\.0\.1:1/names"):
                await closed.get("/names")

        def unknown(*_: object, **__: object) -> None:
            raise socket.gaierror(-2, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", unknown)
        async with Rest("http://venue.example", BUDGET) as nameless:
            with pytest.raises(TransientError, match="Name or service not known"):
                await nameless.get("/names")

    run(scenario)
