"""Symbols of a venue that a selection of the settings picks."""

from collections.abc import Mapping, Sequence

from services.common.errors import FatalError
from services.contracts.selection import names, resolve, wants_volumes
from services.ingest.venues.venue import Venue


async def selected(venue: Venue, items: Sequence[str]) -> list[str]:
    """Return what `items` pick now; FatalError names one that picks nothing, TransientError if there is no answer."""
    listed, volumes = await venue.check_symbols(names(items)), await volumes_for(venue, items)
    for item in items:
        if not resolve([item], listed, volumes, ()):
            raise FatalError(
                f"PAIRSTREAM_SYMBOLS: expected names or patterns of symbols that {venue.name} trades, "
                f"received {item}, which fits none of {len(listed)}"
            )
    return resolve(items, listed, volumes, ())


async def volumes_for(venue: Venue, items: Sequence[str]) -> Mapping[str, float]:
    """Return the volumes of the venue if it takes them to resolve `items`; TransientError if there is no answer."""
    return await venue.volumes() if wants_volumes(items) else {}
