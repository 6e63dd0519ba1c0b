"""Answer of a receiver: whether it has the message, and what it wishes."""

from typing import NamedTuple


class Answer(NamedTuple):
    """What became of one try: arrived if `problem` is None, which else has no secrets and is one line."""

    problem: str | None
    status: int | None = None
    retry_after_s: float | None = None
    """The receiver has asked to be left alone for so long."""
    is_gone: bool = False
    """The receiver wants nothing more, ever."""
