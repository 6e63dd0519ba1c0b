"""Limit on the connections of a listener; idle ones are closed to make room for others."""

import asyncio
import errno
import resource
import socket
from collections import Counter
from collections.abc import Callable, Sized
from itertools import islice

import structlog

# Share of the open-file limit for connections; the rest is for files, brokers, databases and processes.
SHARE = 0.75
MOST = 10_000
# When no descriptor is free: delay until the next try (s), idle connections closed meanwhile, log interval (s).
PAUSE_S = 0.1
AT_ONCE = 16
SAID_EVERY_S = 10.0
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

log = structlog.get_logger()


def most_connections() -> int:
    """Return the limit on connections: `SHARE` of the open files allowed (``ulimit -n``), `MOST` at most."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if soft == resource.RLIM_INFINITY else min(MOST, int(soft * SHARE))


class Connections:
    """The connections of one listener: who is idle goes, the longest idle first, when a new one finds no room.

    What becomes of connections that are not served is counted, and said every `SAID_EVERY_S` at most.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._idle: dict[asyncio.BaseTransport, None] = {}
        self._unsaid: Counter[str] = Counter()
        self._saying: asyncio.TimerHandle | None = None

    def note_idle(self, transport: asyncio.BaseTransport) -> None:
        """Note that no request runs on a connection; who was idle before stays where it was."""
        self._idle.setdefault(transport)

    def note_busy(self, transport: asyncio.BaseTransport) -> None:
        """Note that a connection is not to be closed: a request runs, or it is closed already."""
        self._idle.pop(transport, None)

    def close_idle(self, count: int) -> bool:
        """Close `count` idle connections at most, and tell whether there was one."""
        closed = list(islice(self._idle, count))
        for transport in closed:
            self.note_busy(transport)
            transport.close()
        self._count("closed_idle", len(closed))
        return bool(closed)

    async def accept(
        self,
        listener: socket.socket,
        protocol: Callable[[], asyncio.Protocol],
        open_now: Sized,
    ) -> None:
        """Accept until cancelled; `open_now` are the open connections, of whatever protocol.

        asyncio's own servers, where they may open nothing more, try again so often at once that the log is all they
        do. Here a failure is waited out, and idle connections make room.
        """
        loop = asyncio.get_running_loop()
        while True:
            try:
                accepted, _ = await loop.sock_accept(listener)
            except OSError as error:
                self._count(f"not accepted: {errno.errorcode.get(error.errno or 0, error)}", 1)
                self.close_idle(AT_ONCE)
                await asyncio.sleep(PAUSE_S)
                continue
            if len(open_now) >= self.most and not self.close_idle(1):
                self._count("refused", 1)
                await _refuse(accepted)
                continue
            try:
                await loop.connect_accepted_socket(protocol, accepted)
            except OSError as error:  # gone already
                accepted.close()
                self._count(f"lost: {errno.errorcode.get(error.errno or 0, error)}", 1)

    def _count(self, what: str, number: int) -> None:
        self._unsaid[what] += number
        if number and self._saying is None:
            self._report()

    def _report(self) -> None:
        self._saying = None
        if self._unsaid.total():
            log.warning("connections not served", most=self.most, **+self._unsaid)
            self._unsaid.clear()
            self._saying = asyncio.get_running_loop().call_later(SAID_EVERY_S, self._report)


async def _refuse(accepted: socket.socket) -> None:
    with accepted:
        try:
            accepted.send(BUSY)
        except OSError:
            return  # it did not wait for a refusal
    await asyncio.sleep(0)  # a flood of them must not keep the others waiting
