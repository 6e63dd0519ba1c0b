"""Stretches of a symbol's tape that may not be what they look like, and since when that is known."""

from typing import Literal, Self

from msgspec import Struct

HoleKind = Literal["missing", "lost", "doubtful"]

_NEVER_US = 1 << 62


class Hole(Struct):
    """Event times between which trades are ``missing``, got ``lost`` unread, or are ``doubtful``: maybe on their way.

    It counts from the moment of the tape `since_us` on, and no longer once the tape is at `filled_us`: all times are
    event times (us), for what a reader concludes must not depend on his clock.
    """

    first_us: int
    last_us: int
    kind: HoleKind
    since_us: int
    filled_us: int | None = None
    ids: list[tuple[int, int]] = []
    """Runs of the ids that are missing, first and last."""
    is_final: bool = False
    """Whether it is never filled, because a trade of it came too late to count."""

    def covers(self, end_us: int, at_us: int) -> bool:
        """Tell whether trades just before `end_us` are missing, by what the tape knew at `at_us`."""
        return (
            self.first_us < end_us <= self.last_us
            and self.since_us < at_us
            and (self.filled_us is None or self.filled_us >= at_us)
        )

    def lacks(self, trade_id: int) -> bool:
        """Tell whether an id is one of those that are missing."""
        return any(first <= trade_id <= last for first, last in self.ids)

    def take(self, first_id: int, last_id: int) -> bool:
        """Note ids that have come; tell whether they were the last ones, and the hole can be filled."""
        self.ids = [
            run
            for first, last in self.ids
            for run in ((first, min(last, first_id - 1)), (max(first, last_id + 1), last))
            if run[0] <= run[1]
        ]
        return not self.ids and not self.is_final

    def fill(self, until_us: int, at_us: int, final_us: int) -> list[Self]:
        """Be filled up to `until_us`, as is known since `at_us`; return the parts that stay as they were.

        One is what nothing can change any more, before `final_us`; the other what comes after `until_us`.
        """
        kept = []
        if until_us < self.last_us:
            kept.append(type(self)(max(until_us, self.first_us), self.last_us, self.kind, at_us))
        if self.first_us < final_us:
            kept.append(type(self)(self.first_us, min(final_us, self.last_us), self.kind, self.since_us))
            self.first_us = final_us
        self.filled_us = at_us
        return kept


def earlier_than(trade_id: int) -> Hole:
    """Return a hole of no time, of the ids before one."""
    return Hole(_NEVER_US, _NEVER_US, "missing", _NEVER_US, None, [(0, trade_id - 1)] if trade_id else [])
