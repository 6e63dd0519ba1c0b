"""Frames that a test wants every new connection to receive."""

import re
from collections.abc import Iterable

from tests.fake_venue.subscriber import Subscriber

_STREAM = re.compile(r'\s*{"stream":\s*"([^"]+)"')


class OnConnect:
    """Frames for one connection, each once and in order, as soon as it has their stream."""

    def __init__(self, frames: Iterable[str]) -> None:
        self._left = list(frames)

    def say(self, subscriber: Subscriber) -> None:
        """Send those that are due."""
        due = [frame for frame in self._left if is_for(subscriber, frame)]
        self._left = [frame for frame in self._left if frame not in due]
        for frame in due:
            subscriber.send(frame)


def is_for(subscriber: Subscriber, frame: str) -> bool:
    """Tell whether a connection gets a frame: one that names no stream goes wherever there is any."""
    if found := _STREAM.match(frame):
        return subscriber.gets(found[1])
    return any(map(subscriber.gets, subscriber.streams))
