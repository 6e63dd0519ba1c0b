"""Dead letters: bytes that could not be processed; all while few, a sample and a count in a flood."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, NamedTuple

import structlog

from services.common import clock
from services.common.unreadable import count, place
from services.contracts.topics import DEAD_LETTERS

# Letters of each source that are stored: a second on average, and at once after a quiet time.
A_SECOND = 100
AT_ONCE = 1_000
# A large one counts as several.
_BYTES_OF_ONE = 10_000
# Brokers take 1 MiB a message by default; the rest is for the headers.
_MOST_BYTES = 1_000_000
# Letters that are logged one by one, again after a quiet time; then one line a second has the count.
_LINES = 10
_QUIET_S = 60.0
_SAID_EVERY_S = 1.0

log = structlog.get_logger()


class DeadLetter(NamedTuple):
    """Bytes that could not be processed, why, the topic or feed they came from, and their place there."""

    raw: bytes
    reason: str
    source: str
    origin: str

    @classmethod
    def of(cls, topic: str, partition: int, offset: int, raw: bytes | None, reason: str) -> "DeadLetter":
        """Return the dead letter of a record of a topic."""
        return cls(b"" if raw is None else raw, reason, topic, place(topic, partition, offset, raw))


class DeadLetters:
    """Publishes what could not be processed, with the reason and where it came from, at a bounded rate.

    What comes faster is only counted: ``dead_letters`` counts all messages, ``dead_letters_not_kept`` those that were
    not published. It says all this in the log, too, so callers need not.
    """

    def __init__(
        self,
        send: Callable[..., Awaitable[Any]],
        service: str,
        counters: MutableMapping[str, int] | None = None,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        """`send` is a publisher's or a producer's, `counters` a heartbeat's, `seconds` a monotonic clock."""
        self._send = send
        self._service = service
        self._counters: MutableMapping[str, int] = {} if counters is None else counters
        self._seconds = seconds
        self._buckets: dict[str, _Bucket] = {}
        self._log = _LetterLog(seconds)
        self.count = self.not_kept = 0
        self._show()

    async def put(self, raw: bytes, reason: str, *, source: str, origin: str) -> None:
        """DeadLetterSink `raw`; `source` is the topic or feed it came from, `origin` its place there.

        Returns when it has been handed to ``send``.
        """
        letter = DeadLetter(raw, reason, source, origin)
        if self._keeps(letter):
            await self._publish(letter)
        self._show()

    async def put_all(self, letters: Iterable[DeadLetter]) -> None:
        """DeadLetterSink many, and return when the broker has those of them that are kept."""
        kept = [letter for letter in letters if self._keeps(letter)]
        self._show()
        sent = await asyncio.gather(*map(self._publish, kept))
        await asyncio.gather(*(one for one in sent if isinstance(one, asyncio.Future)))

    def _keeps(self, letter: DeadLetter) -> bool:
        """Count a letter, and tell whether it is to be published."""
        bucket = self._buckets.get(letter.source)
        if bucket is None:
            bucket = self._buckets[letter.source] = _Bucket(self._seconds())
        is_kept = bucket.takes(1 + len(letter.raw) // _BYTES_OF_ONE, self._seconds())
        messages = count(letter.raw)
        self.count += messages
        self.not_kept += 0 if is_kept else messages
        self._log.report(letter, is_kept)
        return is_kept

    async def _publish(self, letter: DeadLetter) -> Any:
        raw, reason, source, origin = letter
        if len(raw) > _MOST_BYTES:
            reason = f"(the first {_MOST_BYTES} of {len(raw)} bytes) {reason}"
            raw = raw[:_MOST_BYTES]
        headers = {"reason": reason, "source": source, "origin": origin, "service": self._service}
        return await self._send(
            DEAD_LETTERS.name,
            value=bytes(raw),
            key=source.encode(),
            headers=[(name, value.encode()) for name, value in headers.items()],
            timestamp_ms=clock.now_us() // 1000,
        )

    def _show(self) -> None:
        self._counters["dead_letters"] = self.count
        self._counters["dead_letters_not_kept"] = self.not_kept


class _Bucket:
    """Token bucket of one source: letters that may still be stored; it fills up as time passes."""

    def __init__(self, now_s: float) -> None:
        self._left = float(AT_ONCE)
        self._at_s = now_s

    def takes(self, cost: int, now_s: float) -> bool:
        self._left = min(AT_ONCE, self._left + (now_s - self._at_s) * A_SECOND)
        self._at_s = now_s
        if cost > self._left:
            return False
        self._left -= cost
        return True


class _LetterLog:
    """Log of dead letters: one line for each of the first, then one a second with their number."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._lines = 0
        self._last_s = float("-inf")
        self._unsaid = self._unsaid_not_kept = 0
        self._latest: DeadLetter | None = None

    def report(self, letter: DeadLetter, is_kept: bool) -> None:
        """Log a letter, now or a second later with others."""
        now_s = self._seconds()
        if now_s - self._last_s > _QUIET_S:
            self._lines = 0
        self._last_s = now_s
        if self._lines < _LINES:
            self._lines += 1
            log.warning(
                "a message could not be processed, see pairstream dead-letters list",
                reason=letter.reason,
                origin=letter.origin,
            )
            return
        if self._latest is None:
            asyncio.get_running_loop().call_later(_SAID_EVERY_S, self._report_rest)
        self._latest = letter
        messages = count(letter.raw)
        self._unsaid += messages
        self._unsaid_not_kept += 0 if is_kept else messages

    def _report_rest(self) -> None:
        assert self._latest is not None
        log.warning(
            "further messages could not be processed",
            messages=self._unsaid,
            not_kept=self._unsaid_not_kept,
            reason=self._latest.reason,
            origin=self._latest.origin,
        )
        self._unsaid = self._unsaid_not_kept = 0
        self._latest = None
