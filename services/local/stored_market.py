"""Stored market that is replayed: found among the databases of a data directory."""

from collections.abc import Callable
from hashlib import sha256

import psycopg

from services.common.errors import FatalError
from services.common.settings import PREFIX, DatabaseSettings
from services.ingest import service as ingest
from services.ingest.feeds.stored_replay import symbols_of
from services.ingest.settings import IngestSettings
from services.ingest.stored_range import StoredRange
from services.local.embedded_database import EmbeddedDatabase

# Those of replays of what is stored hold what others have.
_OURS = """
SELECT datname FROM pg_database WHERE datname ~ '^(live|replay|synthetic)' AND datname !~ '^replay_' ORDER BY datname
"""


async def prepare(
    embedded: EmbeddedDatabase, settings: IngestSettings, name_of: Callable[[IngestSettings], str]
) -> tuple[str, dict[str, str]]:
    """Return the name of the database to write to, as `name_of` says, and what its services have to know of the past.

    A replay of what is stored has a database of its own, the same for the same range of the same source, so that two
    tapes never become one. FatalError, before anything else runs, if nothing is stored of its range.
    """
    between = settings.replay_store
    if settings.feed != "replay" or between is None:
        return name_of(settings), {}
    source = settings.history_database_url
    if source is None:
        admin = await embedded.create("postgres")
        source = await _found(admin, embedded.url, between, settings)
        of = source.partition("?")[0]
    else:
        of = source
    await ingest.check(settings.model_copy(update={"history_database_url": source}))
    name = f"replay_{sha256(f'{of} {between}'.encode()).hexdigest()[:12]}"
    return name, {f"{PREFIX}HISTORY_DATABASE_URL": source}


async def _found(
    admin: str, url: Callable[[str], str], between: StoredRange, settings: IngestSettings
) -> str:
    """Return the URL of the database with ticks of all symbols: what was live before all others, which must be one."""
    async with await psycopg.AsyncConnection.connect(admin, autocommit=True) as connection:
        names = [name for (name,) in await (await connection.execute(_OURS)).fetchall()]
    found = []
    for name in names:
        source = DatabaseSettings(database_url=url(name))
        having = await symbols_of(source, between, settings.named_symbols)
        if having and having == list(settings.named_symbols or having):
            found.append(name)
    if len(found) > 1 and "live" not in found:
        raise FatalError(
            f"{PREFIX}REPLAY_STORE: expected one database of the data directory with ticks of {between}, received "
            f"{', '.join(found)}: keep these markets in directories of their own (--data-dir)"
        )
    # Where none has any, the check says what the first one has.
    return url("live" if "live" in found else [*found, *names, "postgres"][0])
