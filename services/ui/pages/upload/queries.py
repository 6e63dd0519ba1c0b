"""What is asked of the API once, because it does not change: a dataset, its bars, an analysis of them."""

import math
from functools import partial
from typing import Any, NamedTuple, TypeVar

from services.ui.api.client import ApiClient, RefusedError
from services.ui.api.poll_cache import Reading
from services.ui.state.live_state import Now
from services.ui.state.page_context import Site

RETRY_S = 5.0

T = TypeVar("T")


class Refused(NamedTuple):
    """Why the API does not want to answer."""

    detail: str


def once(site: Site, now: Now, path: str, kind: type[T], /, **params: Any) -> Reading[T | Refused]:
    """Return the answer to a question, which is asked again only while there is none; a None is left out."""
    asked = {name: value for name, value in params.items() if value is not None}
    ask = partial(_answer, site.client, path, kind, **asked)
    reading: Reading[T | Refused] = site.readings.get((path, *asked.items()), ask, math.inf)
    if reading.error is not None:
        reading.poke(ask, RETRY_S, now.s)
    return reading


def why_nothing(reading: Reading[Any]) -> str:
    """Return why there is no answer, empty if there is one."""
    if isinstance(reading.value, Refused):
        return f"The API does not have this: {reading.value.detail}"
    if reading.value is not None:
        return ""
    return "Loading…" if reading.error is None else f"No answer from the API. {reading.error} Trying again."


async def _answer(client: ApiClient, path: str, kind: type[T], /, **params: Any) -> T | Refused:
    try:
        return await client.read(path, kind, **params)
    except RefusedError as error:
        return Refused(error.detail)
