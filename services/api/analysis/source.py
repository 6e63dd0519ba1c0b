"""Which closes a question is about: of the market or of a dataset, in which range."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field

from services.api.analysis.questions import Subject
from services.api.backend import Backend
from services.api.datasets import catalogue
from services.api.datasets.bars import dataset_bars
from services.api.datasets.catalogue import Dataset
from services.api.problems import refused
from services.api.queries import BarInterval, DatasetQuery
from services.api.stored.history import Bars, Period, closes, market_bars
from services.common import clock

BARS_MAX = 10_000
_NEWEST = 500


class ClosesQuery(DatasetQuery):
    """Closes: the newest before `end`, or those from `start` on."""

    interval: BarInterval = None
    limit: Annotated[
        int | None,
        Field(
            ge=1,
            le=BARS_MAX,
            description=f"At most so many bars of a symbol. Without it the newest {_NEWEST}, of a dataset "
            f"{BARS_MAX:,}, or with `start` all of the range, of up to {BARS_MAX:,}.",
            examples=[500],
        ),
    ] = None


class Source:
    """The market's bars or, with a feed that is null, those of a dataset."""

    def __init__(self, backend: Backend, bars: Bars, dataset: Dataset | None = None) -> None:
        self._backend = backend
        self._bars = bars
        self._dataset = dataset

    async def symbols(self) -> list[str]:
        """Return every symbol there is."""
        if self._dataset is None:
            return await self._backend.symbols()
        return await catalogue.symbols(self._backend.store, self._dataset)

    async def subject(self, query: ClosesQuery, symbols: Iterable[str]) -> Subject:
        """Return the closes `query` asks for; ProblemError if a symbol is not known, or there are too many closes."""
        names = list(symbols)
        if self._dataset is None:
            for name in names:
                await self._backend.require_symbol(name)
        else:
            await catalogue.require_symbols(self._backend.store, self._dataset, *names)
        everything = query.start is not None and query.limit is None
        # One more than there may be tells that there are too many.
        usual = _NEWEST if self._dataset is None else BARS_MAX
        limit = BARS_MAX + 1 if everything else query.limit or usual
        found = await closes(self._backend.store, self._bars, names, Period(limit, query.start, query.end))
        if any(len(leg.price) > BARS_MAX for leg in found.values()):
            expected = (
                f"a start with at most {BARS_MAX:,} bars until the end, or a limit, or a wider interval"
            )
            raise refused("start", expected, clock.to_iso(query.start or 0))
        return Subject(
            feed=None if self._dataset else self._backend.feed,
            dataset=self._dataset and self._dataset.dataset_id,
            width_us=self._bars.width_us,
            closes=found,
        )


async def find(backend: Backend, query: ClosesQuery) -> Source:
    """Return the source `query` asks for; ProblemError if the dataset is not known or has no such bars."""
    if query.dataset is None:
        return Source(backend, market_bars(query.interval or "1m"))
    dataset = await catalogue.find(backend.store, query.dataset)
    return Source(backend, dataset_bars(dataset, query.interval), dataset)
