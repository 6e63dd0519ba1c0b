"""Give up on clients that open a connection and then do not say what they want, or do not read what they asked for."""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_S = 10.0
# Who takes so long to read from a stream is ended.
SLOW_S = 5.0
EVENTS = "/v1/events"


class ImpatientProtocol(H11Protocol):
    """Closes a connection on which the first line and the headers of a request take longer than `HEAD_S`.

    uvicorn waits for them for ever: it limits only the silence between two requests. Server-sent events that nobody
    has read for `SLOW_S` are cut off: what waits in the buffer would keep a close waiting, too.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._patience: asyncio.TimerHandle | None = None
        self._reading_patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Wait on if that was not yet all of it."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._stop_waiting()
        elif self._patience is None:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._stop_waiting()
        self._stop_waiting_for_reader()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Begin to wait for the reader of a stream."""
        super().pause_writing()
        if self.scope["path"] == EVENTS:
            self._reading_patience = self.loop.call_later(SLOW_S, self.transport.abort)

    def resume_writing(self) -> None:
        """Wait no longer for who reads."""
        self._stop_waiting_for_reader()
        super().resume_writing()

    def _wait(self) -> None:
        self._patience = self.loop.call_later(HEAD_S, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _stop_waiting_for_reader(self) -> None:
        if self._reading_patience is not None:
            self._reading_patience.cancel()
            self._reading_patience = None
