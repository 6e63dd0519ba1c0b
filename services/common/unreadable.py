"""Placeholder record for messages on a topic that cannot be read."""


class Unreadable(bytes):
    """Bytes of unreadable messages, as a record's value; the record's offset is that of the last message.

    `reason` is what was expected and what was received, `first` the offset of the first of so many `messages`. With
    `is_lost` they should have been read; what a producer has taken back should not.
    """

    first: int
    messages: int
    reason: str
    is_lost: bool

    def __new__(cls, raw: bytes, first: int, last: int, reason: str, is_lost: bool = True) -> "Unreadable":
        """Hold `raw` for the offsets `first` to `last`."""
        made = super().__new__(cls, raw)
        made.first, made.messages, made.reason, made.is_lost = first, last - first + 1, reason, is_lost
        return made


def count(raw: bytes | None) -> int:
    """Return for how many messages the value of a record stands."""
    return raw.messages if isinstance(raw, Unreadable) else 1


def place(topic: str, partition: int, offset: int, raw: bytes | None) -> str:
    """Return where a message was that is read as `raw`; of many the first and the last offset."""
    if isinstance(raw, Unreadable) and raw.messages > 1:
        return f"{topic}/{partition}/{raw.first}-{offset}"
    return f"{topic}/{partition}/{offset}"
