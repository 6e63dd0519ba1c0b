"""Source of the closes of an analysis: the market or a dataset, and the range."""

from collections.abc import Iterable, Mapping
from typing import Annotated, NamedTuple

from pydantic import Field

from services.api.analysis.requests import BARS_MAX, Cut, Subject
from services.api.backend import Backend
from services.api.datasets import catalogue
from services.api.datasets.bars import Relation, carried_bars, covered_range, dataset_bars, relation_of
from services.api.datasets.catalogue import CatalogueEntry
from services.api.models.datasets import Carried
from services.api.parameters import BarInterval, DatasetQuery
from services.api.problems import refused
from services.api.queries.closes import Bars, Closes, Period, closes, market_bars
from services.common import clock
from services.contracts.intervals import USUAL

WINDOW_MAX = 10_000
# Of all symbols together: what a worker can hold.
_CLOSES_MAX = 2 * BARS_MAX
_NEWEST = 500
_NEWEST_OF_DATASET = 10_000


class ClosesQuery(DatasetQuery):
    """Closes: the newest before `end`, or those from `start` on."""

    interval: BarInterval = None
    limit: Annotated[
        int | None,
        Field(
            ge=1,
            le=BARS_MAX,
            description=f"At most so many bars of a symbol. Without it the newest {_NEWEST}, of a dataset "
            f"{_NEWEST_OF_DATASET:,}, or with `start` all of the range, of up to {BARS_MAX:,}.",
            examples=[500],
        ),
    ] = None


class _History(NamedTuple):
    """A dataset, where its bars are, and what becomes of the carried ones."""

    dataset: CatalogueEntry
    relation: Relation
    carried: Carried


class CloseSource:
    """The market's bars or, with a feed that is null, those of a dataset."""

    def __init__(self, backend: Backend, bars: Bars, history: _History | None = None) -> None:
        self._backend = backend
        self._bars = bars
        self._history = history

    async def symbols(self) -> list[str]:
        """Return every symbol there is."""
        if self._history is None:
            return await self._backend.symbols()
        return await catalogue.symbols(self._backend.store, self._history.dataset)

    async def subject(self, query: ClosesQuery, symbols: Iterable[str]) -> Subject:
        """Return the closes `query` asks for; ProblemError if a symbol is not known, or there are too many closes."""
        names = list(symbols)
        if self._history is None:
            names = [await self._backend.require_symbol(name) for name in names]
        else:
            names = await catalogue.require_symbols(self._backend.store, self._history.dataset, *names)
        limit = self._limit(query, len(names))
        found = await closes(self._backend.store, self._bars, names, Period(limit, query.start, query.end))
        most = _most(len(names))
        if any(len(leg.price) > most for leg in found.values()):
            expected = f"a start with at most {most:,} bars until the end, or a limit, or a wider interval"
            raise refused("start", expected, clock.to_iso(query.start or 0))
        is_cut = any(len(leg.price) >= limit for leg in found.values())
        return Subject(
            feed=None if self._history else self._backend.feed,
            dataset=self._history and self._history.dataset.dataset_id,
            width_us=self._bars.width_us,
            closes=found,
            carried_bars=await self._carried(query, found, is_cut),
            carried=self._history.carried if self._history else "drop",
            cut=await self._cut(query, found, limit) if is_cut else None,
        )

    def _limit(self, query: ClosesQuery, symbols: int) -> int:
        most = _most(symbols)
        if query.limit is not None:
            if query.limit > most:
                raise refused("limit", f"at most {most:,} bars of each of {symbols} symbols", query.limit)
            return query.limit
        # One more than there may be tells that there are too many.
        return (
            most + 1 if query.start is not None else _NEWEST if self._history is None else _NEWEST_OF_DATASET
        )

    async def _carried(
        self, query: ClosesQuery, found: Mapping[str, Closes], is_cut: bool
    ) -> dict[str, int | None]:
        starts = [leg.start_us for leg in found.values() if len(leg.start_us)]
        first = min((int(one[0]) for one in starts), default=0)
        end = max((int(one[-1]) + self._bars.width_us for one in starts), default=0)
        if self._history is None:
            return {
                name: (end - first) // self._bars.width_us - len(leg.price) for name, leg in found.items()
            }
        return await carried_bars(
            self._backend.store,
            self._history.dataset,
            self._history.relation,
            list(found),
            first if is_cut and query.start is None else query.start,
            end if is_cut and query.start is not None else query.end,
        )

    async def _cut(self, query: ClosesQuery, found: Mapping[str, Closes], limit: int) -> Cut | None:
        if self._history is None or query.start is not None:
            return None
        _, relation, carried = self._history
        there = await covered_range(self._backend.store, relation, carried, list(found), query.end)
        return Cut(taken=limit, bars=there.bars, first_us=there.first_us) if there.bars > limit else None


def _most(symbols: int) -> int:
    return min(BARS_MAX, _CLOSES_MAX // max(symbols, 1))


async def find(backend: Backend, query: ClosesQuery) -> CloseSource:
    """Return the source `query` asks for; ProblemError if the dataset is not known or has no such bars."""
    if query.dataset is None:
        return CloseSource(backend, market_bars(query.interval or USUAL))
    dataset = await catalogue.find(backend.store, query.dataset)
    relation, carried = relation_of(dataset, query.interval), query.carried or "drop"
    return CloseSource(backend, dataset_bars(relation, carried), _History(dataset, relation, carried))
