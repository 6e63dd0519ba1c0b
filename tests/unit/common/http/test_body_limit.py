"""Bodies that are too long, too many or too slow."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.types import Message

from services.common.http import body_limit
from services.common.http.body_limit import bounded
from services.common.http.rate_limits import Held
from tests.virtual_time import run as run_virtually


def read(
    parts: list[bytes],
    most_bytes: int,
    hold: Callable[[int], bool],
    declared: int | None = None,
    every_s: float = 0,
) -> int:
    """Return the length of a body in parts, one `every_s`; HTTPException as the security middleware raises it."""
    headers = [] if declared is None else [(b"content-length", str(declared).encode())]
    coming = iter(parts)
    left = len(parts)

    async def receive() -> Message:
        nonlocal left
        await asyncio.sleep(every_s)
        left -= 1
        return {"type": "http.request", "body": next(coming), "more_body": left > 0}

    async def run() -> int:
        received = 0
        more = True
        take = bounded(HTTPConnection({"type": "http", "headers": headers}), receive, most_bytes, hold)
        while more:
            message = await take()
            received += len(message["body"])
            more = message["more_body"]
        return received

    return run_virtually(run())


def anything(_: int) -> bool:
    return True


def refused(*arguments: object, **more: object) -> int:
    """Return the status with which a body is refused."""
    with pytest.raises(HTTPException) as error:
        read(*arguments, **more)  # type: ignore[arg-type]
    return error.value.status_code


@given(st.lists(st.binary(max_size=20), min_size=1, max_size=10), st.integers(0, 100))
def test_no_more_than_the_limit_is_passed_on(parts: list[bytes], most: int) -> None:
    total = sum(map(len, parts))
    if total <= most:
        assert read(parts, most, anything) == total
    else:
        assert refused(parts, most, anything) == HTTPStatus.REQUEST_ENTITY_TOO_LARGE


def test_a_body_that_says_that_it_is_too_large_is_not_begun_with() -> None:
    assert refused([], 9, anything, declared=10) == HTTPStatus.REQUEST_ENTITY_TOO_LARGE


def test_who_trickles_is_given_up_as_soon_as_who_is_silent() -> None:
    silence_s = body_limit.SILENCE_S
    for parts, every_s in (([b"x"] * 1000, 1.0), ([b"x", b"x"], silence_s + 1), ([b""] * 10_000, 0.1)):
        assert refused(parts, 10_000, anything, every_s=every_s) == HTTPStatus.REQUEST_TIMEOUT


def test_however_much_has_come_who_falls_silent_is_given_up() -> None:
    sent = [{"type": "http.request", "body": b"x" * 2**20, "more_body": True}]

    async def receive() -> Message:
        return sent.pop() if sent else await asyncio.Event().wait()  # type: ignore[return-value]

    async def run() -> float:
        take = bounded(HTTPConnection({"type": "http", "headers": []}), receive)
        await take()
        with pytest.raises(HTTPException):
            await take()
        return asyncio.get_running_loop().time()

    assert run_virtually(run()) == pytest.approx(body_limit.SILENCE_S)


@pytest.mark.parametrize("every_s", [0.5, 20.0])
def test_a_body_may_take_as_long_as_it_keeps_coming(every_s: float) -> None:
    part = b"x" * int(body_limit.LEAST_BYTES_PER_S * every_s)
    assert read([part] * 50, 2**20 * 100, anything, every_s=every_s) == 50 * len(part)


def test_a_body_that_is_not_read_for_a_while_is_not_slow() -> None:
    parts = iter([b"x", b"y"])

    async def receive() -> Message:
        part = next(parts)
        return {"type": "http.request", "body": part, "more_body": part == b"x"}

    async def run() -> None:
        take = bounded(HTTPConnection({"type": "http", "headers": []}), receive)
        await take()
        await asyncio.sleep(3600)
        assert (await take())["body"] == b"y"

    run_virtually(run())


def test_of_one_caller_so_much_lies_here_at_once() -> None:
    held = Held(100)
    with held.by("a") as hold, held.by("a") as again, held.by("b") as others:
        assert read([b"x" * 30] * 2, 60, hold) == 60
        assert refused([], 60, again, declared=41) == HTTPStatus.TOO_MANY_REQUESTS
        assert refused([b"x" * 30] * 2, 60, again) == HTTPStatus.TOO_MANY_REQUESTS
        assert read([b"x" * 60], 60, others, declared=60) == 60
    with held.by("a") as hold:
        assert read([b"x" * 100], 100, hold) == 100


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 60)), max_size=30))
def test_what_is_held_never_exceeds_the_limit_and_all_of_it_goes(wanted: list[tuple[str, int]]) -> None:
    held, had = Held(100), dict.fromkeys("abc", 0)
    for caller, size in wanted:
        with held.by(caller) as hold:
            had[caller] = size if hold(size) else 0
            assert had[caller] == size
            assert hold(100 - size)
            assert not hold(1)
    with held.by("a") as one, held.by("a") as other:
        assert one(60)
        assert not other(41)
        assert other(40)
