"""Queries that are asked once, as their data never change: dataset, bars, analysis, scan."""

import math
from functools import partial
from typing import Any, NamedTuple, TypeVar

from services.ui.api.client import ApiClient, ApiRefusedError
from services.ui.api.poll_cache import PolledAnswer
from services.ui.state.live_state import Now
from services.ui.state.page_context import PageContext

RETRY_S = 5.0

T = TypeVar("T")


class RefusedQuery(NamedTuple):
    """The API refused the query; the text says why."""

    detail: str


def once(
    site: PageContext, now: Now, path: str, kind: type[T], /, **params: Any
) -> PolledAnswer[T | RefusedQuery]:
    """Return the answer to a question, which is asked again only while there is none; a None is left out."""
    asked = {name: value for name, value in params.items() if value is not None}
    ask = partial(_answer, site.client, path, kind, **asked)
    reading: PolledAnswer[T | RefusedQuery] = site.readings.get((path, *asked.items()), ask, math.inf)
    if reading.error is not None:
        reading.refresh_if_due(ask, RETRY_S, now.s)
    return reading


def why_nothing(reading: PolledAnswer[Any]) -> str:
    """Return why there is no answer, empty if there is one."""
    if isinstance(reading.value, RefusedQuery):
        return f"The API does not have this: {reading.value.detail}"
    if reading.value is not None:
        return ""
    return "Loading…" if reading.error is None else f"No answer from the API. {reading.error} Trying again."


async def _answer(client: ApiClient, path: str, kind: type[T], /, **params: Any) -> T | RefusedQuery:
    try:
        return await client.read(path, kind, **params)
    except ApiRefusedError as error:
        return RefusedQuery(error.detail)
