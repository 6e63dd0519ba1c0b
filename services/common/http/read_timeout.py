"""Timeout of clients that send their request too slowly or do not read the response."""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from services.common.http.connection_limits import Connections

HEAD_S = 10.0
# To read as much as is buffered: some ten KiB.
UNREAD_S = 60.0


class ImpatientProtocol(H11Protocol):
    """Closes a connection whose request takes longer than `HEAD_S` to be said, or whose answer is not read.

    uvicorn waits for ever for the first line and the headers of a request: it limits only the silence between two
    requests; and it waits for ever for who reads. Connections on which no request runs are told to `connections`,
    which closes them where there is no room for others.
    """

    def __init__(self, *args: Any, connections: Connections, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._room = connections
        self._patience: asyncio.TimerHandle | None = None
        self._reading_patience: asyncio.TimerHandle | None = None

    def unread_s(self) -> float:
        """Return how long the answer that is being sent may wait for its reader."""
        return UNREAD_S

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait."""
        super().connection_made(transport)
        self._room.note_idle(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Wait on if that was not yet all of it."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._stop_waiting()
        elif self._patience is None:
            self._wait()
        self._note()

    def on_response_complete(self) -> None:
        """Be idle again, unless the next request is there."""
        super().on_response_complete()
        self._note()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._stop_waiting()
        self._stop_waiting_for_reader()
        self._room.note_busy(self.transport)
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Begin to wait for who reads."""
        super().pause_writing()
        self._reading_patience = self.loop.call_later(self.unread_s(), self.transport.abort)

    def resume_writing(self) -> None:
        """Wait no longer for who reads."""
        self._stop_waiting_for_reader()
        super().resume_writing()

    def _note(self) -> None:
        if self.conn.their_state is not h11.IDLE:
            self._room.note_busy(self.transport)
        elif not self.transport.is_closing():
            self._room.note_idle(self.transport)

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
