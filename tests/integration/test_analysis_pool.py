"""Pool of analysis workers: how many calls run at once, how long, and which processes remain."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager, suppress
from typing import Any, NoReturn

import numpy as np
import psutil
import pytest
from starlette.requests import Request
from starlette.types import Message

from services.api.analysis import worker_pool
from services.api.analysis.requests import AnalysisRequest, MatrixRequest, Subject
from services.api.analysis.result_cache import ResultCache
from services.api.analysis.service import AnalysisService
from services.api.analysis.worker_pool import WorkerPool
from services.api.models.analysis import Point
from services.api.problems import ProblemError
from services.api.queries.closes import Closes
from services.api.serialization.listing import TableAnswer
from tests.waiting import wait_until

pytestmark = pytest.mark.integration


def in_loop(test: Callable[[], Coroutine[None, None, None]]) -> Callable[[], None]:
    def run() -> None:
        asyncio.run(test())

    run.__name__ = test.__name__
    return run


@pytest.fixture(autouse=True)
def _only_what_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_pool, "PRELOADED", ("services.api.analysis.worker_pool",))


@asynccontextmanager
async def running(workers: int = 1, queue: int = 4, timeout_s: float = 30) -> AsyncIterator[WorkerPool]:
    made = WorkerPool(workers, queue, timeout_s)
    task = asyncio.create_task(made.run())
    try:
        yield made
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def gone(pid: int) -> None:
    await asyncio.to_thread(wait_until, lambda: not psutil.pid_exists(pid), f"the end of process {pid}")


@in_loop
async def test_calls_run_in_polite_processes_that_end_with_the_pool() -> None:
    async with running() as made:
        pid = await made.call(os.getpid)
        assert pid != os.getpid()
        assert await made.call(os.getpid) == pid
        assert psutil.Process(pid).nice() > psutil.Process().nice()
        with pytest.raises(ZeroDivisionError):
            await made.call(divmod, 1, 0)
        assert await made.call(os.getpid) == pid
    await gone(pid)


@in_loop
async def test_the_loop_goes_on_while_workers_work() -> None:
    async with running(workers=2) as made:
        await asyncio.gather(made.call(time.sleep, 0.3), made.call(time.sleep, 0.3))
        calls = asyncio.gather(made.call(time.sleep, 0.5), made.call(time.sleep, 0.5))
        turns = 0
        while not calls.done():
            await asyncio.sleep(0.01)
            turns += 1
        assert turns > 2


@in_loop
async def test_a_call_that_takes_too_long_ends_with_its_worker_and_the_next_one_gets_another() -> None:
    async with running(timeout_s=3) as made:
        pid = await made.call(os.getpid)
        with pytest.raises(ProblemError, match="within 3 s") as raised:
            await made.call(time.sleep, 60)
        assert raised.value.status == 503
        assert raised.value.headers == {"Retry-After": "2"}
        await gone(pid)
        assert await made.call(os.getpid) != pid


@in_loop
async def test_a_call_that_nobody_waits_for_ends_with_its_worker() -> None:
    async with running() as made:
        pid = await made.call(os.getpid)
        call = asyncio.create_task(made.call(time.sleep, 60))
        await asyncio.sleep(0.1)
        call.cancel()
        await gone(pid)
        assert await made.call(os.getpid) != pid


@in_loop
async def test_a_worker_that_dies_is_replaced() -> None:
    async with running() as made:
        pid = await made.call(os.getpid)
        with pytest.raises(ProblemError, match="has died"):
            await made.call(os._exit, 3)
        assert await made.call(os.getpid) != pid


@in_loop
async def test_a_worker_that_cannot_be_forked_is_tried_again() -> None:
    submit, failures = ProcessPoolExecutor.submit, [BrokenPipeError(), EOFError()]

    def submit_later(self: ProcessPoolExecutor, *call: Any) -> Any:
        if failures:
            raise failures.pop()
        return submit(self, *call)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ProcessPoolExecutor, "submit", submit_later)
        async with running() as made:
            assert await made.call(os.getpid) != os.getpid()
    assert not failures


@in_loop
async def test_more_calls_than_may_wait_are_refused_and_one_that_leaves_the_queue_makes_room() -> None:
    async with running(queue=2) as made:
        await made.call(os.getpid)
        busy = asyncio.create_task(made.call(time.sleep, 60))
        await asyncio.sleep(0.1)
        first, second = (asyncio.create_task(made.call(os.getpid)) for _ in range(2))
        await asyncio.sleep(0.1)
        with pytest.raises(ProblemError, match="at most 2 analyses to wait"):
            await made.call(os.getpid)
        first.cancel()
        await asyncio.sleep(0.1)
        third = asyncio.create_task(made.call(os.getpid))
        busy.cancel()
        assert await second == await third
        assert first.cancelled()


@in_loop
async def test_an_answer_is_computed_once_for_all_who_wait_and_kept() -> None:
    results, computed = ResultCache(kept_bytes=10), []

    async def compute(answer: bytes = b"123456") -> bytes:
        computed.append(answer)
        await asyncio.sleep(0.01)
        return answer

    assert await asyncio.gather(*(results.get(b"key", compute) for _ in range(5))) == [b"123456"] * 5
    assert await results.get(b"key", compute) == b"123456"
    assert len(computed) == 1
    await results.get(b"other", compute)  # for both there is no room
    await results.get(b"key", compute)
    assert len(computed) == 3
    assert await results.get(b"large", lambda: compute(b"x" * 11)) == b"x" * 11
    await results.get(b"key", compute)
    assert len(computed) == 4


@in_loop
async def test_work_goes_on_while_anybody_waits_and_ends_with_the_last_one() -> None:
    results, ends = ResultCache(), asyncio.Event()

    async def compute() -> bytes:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ends.set()
            raise
        return b""

    first, last = (asyncio.create_task(results.get(b"key", compute)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0.01)
    assert not ends.is_set()
    last.cancel()
    async with asyncio.timeout(30):
        await ends.wait()


@in_loop
async def test_an_error_is_everybodys_and_is_not_kept() -> None:
    results = ResultCache()
    fails = True

    async def compute() -> bytes:
        await asyncio.sleep(0)
        if fails:
            raise ValueError("no")
        return b"yes"

    found = await asyncio.gather(*(results.get(b"key", compute) for _ in range(2)), return_exceptions=True)
    assert [str(error) for error in found] == ["no", "no"]
    fails = False
    assert await results.get(b"key", compute) == b"yes"


class Endless(WorkerPool):
    """A pool whose calls never end."""

    def __init__(self) -> None:
        super().__init__(1, 1, 1)
        self.begun, self.ended = asyncio.Event(), asyncio.Event()

    async def call(self, *_: object, **__: object) -> NoReturn:
        self.begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.ended.set()
        raise AssertionError


@in_loop
async def test_a_client_that_leaves_ends_the_work() -> None:
    made, leaves = Endless(), asyncio.Event()

    async def receive() -> Message:
        if not leaves.is_set():
            leaves.set()
            return {"type": "http.request", "body": b"", "more_body": False}
        await made.begun.wait()
        return {"type": "http.disconnect"}

    request = Request({"type": "http", "headers": [], "path": "/", "query_string": b""}, receive)
    question = AnalysisRequest(form="json", path="/")
    response = await AnalysisService(made, Endless()).respond(
        request, TableAnswer(request, "json", Point, {}), question
    )
    assert response.status_code == 499
    async with asyncio.timeout(30):
        await made.ended.wait()


class Ready(WorkerPool):
    """A pool that answers at once."""

    def __init__(self) -> None:
        super().__init__(1, 1, 1)

    async def call(self, *_: object, **__: object) -> Any:
        return b"answered"


@in_loop
async def test_a_question_of_many_bars_is_in_nobodys_way() -> None:
    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    request = Request({"type": "http", "headers": [], "path": "/", "query_string": b""}, receive)
    long = Endless()
    answers = AnalysisService(Ready(), long)

    async def ask(bars: int) -> bytes:
        closes = Closes(np.arange(bars), np.ones(bars))
        subject = Subject(feed=None, dataset=None, width_us=1, closes={"XXX": closes})
        question = MatrixRequest(subject=subject, form="json", path="/", method="pearson", of="returns")
        return bytes((await answers.respond(request, TableAnswer(request, "json", Point, {}), question)).body)

    waiting = asyncio.create_task(ask(10_001))
    async with asyncio.timeout(30):
        await long.begun.wait()
        assert await ask(10_000) == b"answered"
    waiting.cancel()
    with suppress(asyncio.CancelledError):
        await waiting
