"""Analysis service: answers from the cache, or computes for as long as a client waits."""

import asyncio
import hashlib
import pickle

from fastapi import Request, Response

from services.api.analysis.entry_point import solve
from services.api.analysis.requests import AnalysisRequest
from services.api.analysis.result_cache import ResultCache
from services.api.analysis.worker_pool import WorkerPool
from services.api.serialization.listing import TableAnswer

# Status of a request that its client has closed, for log and metrics only; the number is nginx's.
CLIENT_GONE = 499
LONG = 10_000


class AnalysisService:
    """Answers questions by a pool, while that runs; ProblemError if there are too many, or one takes too long.

    Those of more than `LONG` bars go to a pool of their own, where they wait for each other alone.
    """

    def __init__(self, pool: WorkerPool, long: WorkerPool) -> None:
        self._pool = pool
        self._long = long
        self._results = ResultCache()

    async def respond(self, request: Request, table: TableAnswer, question: AnalysisRequest) -> Response:
        """Answer `request` with the result of `question`, in the form of `table`; stop when no client waits.

        The same question is one of the same closes, to the last bit: what has changed in the store is another one.
        """
        # Of a million closes that takes some 50 ms, in which others have their turn.
        key = await asyncio.to_thread(_key, question)
        pool = self._long if question.bars > LONG else self._pool
        answering = asyncio.ensure_future(self._results.get(key, lambda: pool.call(solve, question)))
        watching = asyncio.create_task(_until_gone(request))
        watching.add_done_callback(lambda _: answering.cancel())
        try:
            return await table.tagged(await answering)
        except asyncio.CancelledError:
            if watching.done() and not watching.cancelled():
                return Response(status_code=CLIENT_GONE)
            raise
        finally:
            watching.cancel()


def _key(question: AnalysisRequest) -> bytes:
    return hashlib.blake2b(pickle.dumps(question), digest_size=32).digest()


async def _until_gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
