"""Translation of errors of the database into texts that are fit for a client."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from services.common.errors import TransientError

TIMEOUT_S = 5
"""Longest time of a statement, and of the wait for a connection (s)."""
AWAY = "the database cannot be reached"

log = structlog.get_logger()


@contextmanager
def translated() -> Iterator[None]:
    """Raise TransientError with such words for what the database refuses in the block; PoolTimeout stays."""
    try:
        yield
    except PoolTimeout:
        raise
    except psycopg.errors.QueryCanceled as error:
        raise TransientError(f"the database took longer than {TIMEOUT_S} s: ask for less") from error
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn) as error:
        raise TransientError(
            "the dataset has been deleted meanwhile, or the schema is another: ask again, or run pairstream db upgrade"
        ) from error
    except psycopg.errors.InsufficientPrivilege as error:
        raise TransientError("the database refused this: its user lacks the privilege") from error
    except psycopg.OperationalError as error:
        log.warning("the database does not answer", error=str(error))
        raise TransientError(AWAY) from error
