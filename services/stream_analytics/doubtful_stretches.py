"""Doubtful stretches of a symbol's tape: trades may be missing there; also since when that is known."""

from collections.abc import Iterator
from typing import Literal, Self

from msgspec import Struct

from services.common.clock import SECOND

HoleKind = Literal["missing", "lost", "doubtful"]


class DoubtfulStretch(Struct):
    """Event times between which trades are ``missing``, got ``lost`` unread, or are ``doubtful``: maybe on their way.

    It counts from the moment of the tape `since_us` on, and no longer once the tape is at `filled_us`: all times are
    event times (us), for what a reader concludes must not depend on his clock.
    """

    first_us: int
    last_us: int
    kind: HoleKind
    since_us: int
    filled_us: int | None = None
    missing: int = 0
    """Number of its ids that have not come."""
    is_final: bool = False
    """True if it is never filled, because one of its trades came too late to count."""

    def covers(self, end_us: int, at_us: int) -> bool:
        """Tell whether trades just before `end_us` are missing, by what the tape knew at `at_us`."""
        return (
            self.first_us < end_us <= self.last_us
            and self.since_us < at_us
            and (self.filled_us is None or self.filled_us >= at_us)
        )

    @property
    def tells(self) -> bool:
        """Tell whether any second ends in it: inside one a gap hides nothing, its last trade is here."""
        return self.first_us // SECOND < self.last_us // SECOND

    def fill(self, until_us: int, at_us: int, final_us: int) -> tuple[list[Self], list[Self]]:
        """Be filled up to `until_us`, as is known since `at_us`; return the parts that stay as they were.

        The first comes after `until_us`; the other is what nothing can change any more, before `final_us`.
        """
        rest, final = [], []
        if until_us < self.last_us:
            rest.append(type(self)(max(until_us, self.first_us), self.last_us, self.kind, at_us))
        if self.first_us < final_us:
            final.append(type(self)(self.first_us, min(final_us, self.last_us), self.kind, self.since_us))
            self.first_us = final_us
        self.filled_us = at_us
        return rest, final


class DoubtfulStretches:
    """Doubtful stretches of one tape in which a second ends, or messages were lost."""

    def __init__(self) -> None:
        self._all: list[DoubtfulStretch] = []
        self._doubts: list[DoubtfulStretch] = []

    def __bool__(self) -> bool:
        return bool(self._all)

    def __iter__(self) -> Iterator[DoubtfulStretch]:
        return iter(self._all)

    def put(self, *holes: DoubtfulStretch) -> None:
        """Take stretches; one inside a second tells nothing unless it is a loss."""
        self._all += [hole for hole in holes if hole.tells or hole.kind == "lost"]

    def doubt(self, first_us: int, until_us: int) -> None:
        """Mark a time as doubtful, as one stretch with the doubtful time that ends where it begins."""
        if self._doubts and self._doubts[-1].last_us == first_us:
            self._doubts[-1].last_us = until_us
        else:
            self._put_doubt(DoubtfulStretch(first_us, until_us, "doubtful", first_us))

    def dispelled(self, until_us: int) -> list[DoubtfulStretch]:
        """Take out the stretches before `until_us`; the caller fills them, and returns the rest by ``fill``."""
        found = [hole for hole in self._doubts if hole.first_us < until_us]
        self._doubts = [hole for hole in self._doubts if hole.first_us >= until_us]
        return found

    def fill(self, hole: DoubtfulStretch, until_us: int, at_us: int, final_us: int) -> None:
        """Fill a stretch as ``DoubtfulStretch.fill`` does, and keep what stays of it."""
        rest, final = hole.fill(until_us, at_us, final_us)
        self.put(*final)
        for one in rest:
            self._put_doubt(one)

    def kind_at(self, end_us: int, at_us: int) -> HoleKind | None:
        """Return why the trades just before `end_us` are unknown, as known at `at_us`; None if they are
        known.

        What is missing comes before what may be.
        """
        kinds = [hole.kind for hole in self._all if hole.covers(end_us, at_us)]
        return next((kind for kind in kinds if kind != "doubtful"), kinds[0] if kinds else None)

    def forget(self, before_us: int) -> None:
        """Drop those that end before then."""
        self._all = [hole for hole in self._all if hole.last_us >= before_us]
        self._doubts = [hole for hole in self._doubts if hole.last_us >= before_us]

    def _put_doubt(self, hole: DoubtfulStretch) -> None:
        self._all.append(hole)
        self._doubts.append(hole)
