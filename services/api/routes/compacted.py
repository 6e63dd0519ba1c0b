"""Changes of what is configured on a compacted topic: published, and in force when they are answered."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import TypeVar

from msgspec import Struct

from services.api.backend import Backend
from services.common.errors import TransientError
from services.common.kafka.compacted import CompactedTopic, publish

T = TypeVar("T", bound=Struct)
_LOADED_S = 1.0
_READ_S = 3.0


async def loaded(followed: CompactedTopic[T]) -> Mapping[str, T]:
    """Return the values of a topic; TransientError while it has not been read."""
    try:
        async with asyncio.timeout(_LOADED_S):
            await followed.loaded.wait()
    except TimeoutError:
        raise TransientError(f"the {followed.topic.name} have not been read from the broker yet") from None
    return followed.by_name


async def hold(backend: Backend, followed: CompactedTopic[T], name: str, value: T | None) -> None:
    """Publish a change and return once this process goes by it."""
    if followed.by_name.get(name) == value and (value is not None or name in followed.removed):
        return
    reached = await publish(backend.settings, followed.topic, {name: value})
    with suppress(TimeoutError):
        async with asyncio.timeout(_READ_S):
            await followed.wait_for(reached)
