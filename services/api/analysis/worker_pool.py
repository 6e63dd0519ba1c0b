"""Pool of worker processes for work that would block the event loop; a call that takes too long is ended."""

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing import forkserver
from typing import NoReturn, ParamSpec, TypeVar

import structlog

from services.api.problems import unavailable
from services.common.backoff import Backoff
from services.common.cancellation import TaskGroup

P = ParamSpec("P")
T = TypeVar("T")
PRELOADED = ("services.quant.single_core", "services.api.analysis.worker")
_NICENESS = 10

log = structlog.get_logger()


class WorkerPool:
    """Calls functions in `workers` processes while `run` runs; at most `queue` calls wait for one.

    Workers are forked from a process that has imported everything, so one that was ended is replaced within
    some 20 ms. All that begins with the first call, or after `idle_s` unless that is None. A call that takes
    longer than `timeout_s`, or whose caller is cancelled, is ended with its worker.
    """

    def __init__(self, workers: int, queue: int, timeout_s: float, idle_s: float | None = 0) -> None:
        self._workers = workers
        self._queue = queue
        self._timeout_s = timeout_s
        self._idle_s = idle_s
        self._wanted = asyncio.Event()
        self._waiting = 0
        self._idle: asyncio.Queue[_Worker] = asyncio.Queue()

    async def run(self) -> NoReturn:
        """Keep the workers alive until cancelled; then none is left."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._idle_s):
                await self._wanted.wait()
        forkserver.set_forkserver_preload(list(PRELOADED))
        forkserver.ensure_running()
        try:
            async with TaskGroup() as tasks:
                for _ in range(self._workers):
                    tasks.create_task(self._keep_one())
        finally:
            # It ends with us, but not before it has imported everything, which takes seconds.
            _kill(forkserver._forkserver._forkserver_pid)  # type: ignore[attr-defined]
        raise AssertionError("workers are kept for ever")

    async def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what `function` returns in a worker; ProblemError if there is none in time."""
        self._wanted.set()
        if self._waiting >= self._queue:
            raise unavailable(f"expected at most {self._queue} analyses to wait, all of which do")
        self._waiting += 1
        try:
            worker = await self._idle.get()
        finally:
            self._waiting -= 1
        try:
            async with asyncio.timeout(self._timeout_s):
                result = await asyncio.wrap_future(worker.executor.submit(function, *args, **kwargs))
        except TimeoutError:
            worker.end()
            raise unavailable(
                f"expected an answer within {self._timeout_s:g} s, received none: ask for fewer bars"
            ) from None
        except asyncio.CancelledError:
            worker.end()
            raise
        except BrokenProcessPool:
            worker.ended.set()
            raise unavailable("the process that worked on this has died") from None
        except BaseException:
            self._idle.put_nowait(worker)
            raise
        self._idle.put_nowait(worker)
        return result

    async def _keep_one(self) -> NoReturn:
        backoff = Backoff(first_s=0.05, cap_s=5)
        while True:
            worker = _Worker()
            try:
                await worker.start()
                backoff.reset()
                self._idle.put_nowait(worker)
                await worker.ended.wait()
            # The last two: the process that forks them has gone, and is there anew the next time.
            except (BrokenProcessPool, OSError, EOFError) as error:
                log.warning("an analysis worker died while it started, starting another", error=repr(error))
                await asyncio.sleep(backoff.next_s())
            finally:
                worker.end()


class _Worker:
    def __init__(self) -> None:
        context = multiprocessing.get_context("forkserver")
        self.executor = ProcessPoolExecutor(1, context, initializer=_prepare)
        self.ended = asyncio.Event()
        self._pid: int | None = None

    async def start(self) -> None:
        # The first call waits for the process to be forked, and that for all the imports.
        self._pid = await asyncio.wrap_future(await asyncio.to_thread(self.executor.submit, os.getpid))

    def end(self) -> None:
        """Kill the process, whatever it is doing."""
        if self.ended.is_set():
            return
        self.ended.set()
        # Before it has begun, it is not to be waited for: that would take as long as all the imports.
        if self._pid is not None:
            _kill(self._pid)
            self.executor.shutdown(wait=False, cancel_futures=True)


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _prepare() -> None:
    os.nice(_NICENESS)
    # The API tells a worker when to end; Ctrl-C reaches the whole group of processes.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when the API's has ended, also if that was killed."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
