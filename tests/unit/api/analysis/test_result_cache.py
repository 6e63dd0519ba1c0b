"""Which results are forgotten when there are too many; the sharing of work is in tests/integration."""

import asyncio

from services.api.analysis.result_cache import ResultCache


def test_the_result_that_was_wanted_longest_ago_is_forgotten_first() -> None:
    results, computed = ResultCache(kept_bytes=8), []

    async def ask(key: bytes, size: int = 4) -> None:
        async def compute() -> bytes:
            computed.append(key)
            return bytes(size)

        await results.get(key, compute)

    async def run() -> None:
        for key in (b"a", b"b", b"a", b"c", b"a", b"b"):
            await ask(key)
        await ask(b"large", 9)
        await ask(b"b")

    asyncio.run(run())
    # b went when c came, as a had been wanted after it; what is too large takes nobody's place.
    assert computed == [b"a", b"b", b"c", b"b", b"large"]
