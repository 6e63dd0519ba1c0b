"""Timeout of a server-sent event stream whose client does not read it."""

from services.common.http.read_timeout import ImpatientProtocol

# A client that has not read for this long is disconnected.
SLOW_S = 5.0
EVENTS = "/v1/events"


class EventsProtocol(ImpatientProtocol):
    """Cuts off a stream that was not read for `SLOW_S`: a full buffer would delay its close, too."""

    def unread_s(self) -> float:
        """Return less for events than for an answer that ends."""
        is_events = self.scope is not None and self.scope["path"] == EVENTS
        return SLOW_S if is_events else super().unread_s()
