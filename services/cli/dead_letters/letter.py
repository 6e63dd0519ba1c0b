"""A stored dead letter, and where it can be sent again."""

import re
from typing import NamedTuple

from aiokafka import ConsumerRecord

from services.common import clock
from services.contracts import topics

_TOPICS = {topic.name: topic for topic in topics.ALL}
_ORIGIN = re.compile(r"(?P<topic>[a-z-]+)/(?P<partition>[0-9]+)/(?P<offset>[0-9]+)")
_SHORTENED = "(the first "


class Origin(NamedTuple):
    """The place of a message on the topic that it was read from."""

    topic: str
    partition: int
    offset: int


class StoredLetter(NamedTuple):
    """A message of the topic ``dead-letters``; `id` is its partition and offset there."""

    id: str
    time_us: int
    source: str
    origin: str
    service: str
    reason: str
    raw: bytes

    @classmethod
    def of(cls, record: ConsumerRecord) -> "StoredLetter":
        """Read a record; headers that are missing, as of letters of others, are empty."""
        headers = {
            name: value.decode(errors="replace") for name, value in record.headers if value is not None
        }
        return cls(
            f"{record.partition}/{record.offset}",
            record.timestamp * 1000,
            headers.get("source", ""),
            headers.get("origin", ""),
            headers.get("service", ""),
            headers.get("reason", ""),
            record.value or b"",
        )

    def line(self) -> str:
        """Return the letter on one line."""
        return (
            f"{self.id:<10}  {clock.to_iso(self.time_us)[:19]}Z  {self.origin or self.source:<20}  {self.service:<16}"
            f"  {len(self.raw):>7,} B  {self.reason}"
        )

    def text(self) -> str:
        """Return all there is, the bytes as text if they are UTF-8, in hexadecimal otherwise."""
        try:
            content = self.raw.decode()
        except UnicodeDecodeError:
            content = self.raw.hex(" ")
        said = {
            "id": self.id,
            "time": clock.to_iso(self.time_us),
            **{name: getattr(self, name) for name in ("source", "origin", "service", "reason")},
            "bytes": f"{len(self.raw):,}",
        }
        return "\n".join([*(f"{name:<8} {value}" for name, value in said.items()), "", content])

    def refusal(self) -> str | None:
        """Return why the letter cannot be sent again, None if it can.

        >>> StoredLetter("0/1", 0, "feed live", "line 3", "ingest", "why", b"{").refusal()
        'it came from feed live, not from a topic'
        """
        if self.source not in _TOPICS:
            return f"it came from {self.source or 'an unknown source'}, not from a topic"
        if self.place() is None:
            return f"{self.origin} is no single message: what is kept are the bytes of a batch"
        if self.reason.startswith(_SHORTENED):
            return "only its beginning is kept"
        return None

    def place(self) -> Origin | None:
        """Return where the message was, None if it was several or of no topic."""
        found = _ORIGIN.fullmatch(self.origin)
        if found is None or found["topic"] != self.source:
            return None
        return Origin(found["topic"], int(found["partition"]), int(found["offset"]))

    def needs_key(self) -> bool:
        """Return whether its topic keeps the last message of each key, so that one without a key is refused."""
        return "compact" in _TOPICS[self.source].cleanup
