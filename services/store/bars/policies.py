"""Policies of a TimescaleDB store: what background workers refresh, compress and delete, and when."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, NamedTuple

import psycopg

from services.common.settings import StoreSettings
from services.store.bars.timescale import BATCHES, LEVELS


class Policy(NamedTuple):
    """A relation's policy: its kind by the extension's name, its offsets, how often it runs where we say so."""

    relation: str
    kind: str
    offsets: dict[str, timedelta]
    every: timedelta | None = None


REFRESH, COLUMNSTORE, RETENTION = (
    "policy_refresh_continuous_aggregate",
    "policy_compression",
    "policy_retention",
)

_EVERY = {
    "ohlc_1s": timedelta(seconds=10),
    "ohlc_1m": timedelta(seconds=30),
    "ohlc_5m": timedelta(minutes=1),
    "ohlc_1h": timedelta(minutes=5),
}

_PRESENT = """
SELECT coalesce(view_name, table_name)::text, proc_name::text, schedule_interval,
       ARRAY(SELECT key FROM jsonb_each_text(config) WHERE key = ANY (%(keys)s) ORDER BY key),
       ARRAY(SELECT value::interval FROM jsonb_each_text(config) WHERE key = ANY (%(keys)s) ORDER BY key)
FROM timescaledb_information.jobs
JOIN _timescaledb_catalog.hypertable
  ON hypertable.id = coalesce(config->>'hypertable_id', config->>'mat_hypertable_id')::integer
LEFT JOIN timescaledb_information.continuous_aggregates
  ON materialization_hypertable_schema = schema_name AND materialization_hypertable_name = table_name
WHERE coalesce(view_schema, schema_name) = current_schema() AND proc_name = ANY (%(kinds)s)
"""
_KEYS = ["start_offset", "end_offset", "compress_after", "drop_after"]

_ADD = {
    REFRESH: (
        "SELECT add_continuous_aggregate_policy(%(relation)s::regclass, start_offset => %(start_offset)s::interval,"
        " end_offset => %(end_offset)s::interval, schedule_interval => %(every)s::interval,"
        " buckets_per_batch => %(buckets_per_batch)s, refresh_newest_first => %(refresh_newest_first)s)"
    ),
    COLUMNSTORE: "CALL add_columnstore_policy(%(relation)s::regclass, after => %(compress_after)s::interval)",
    RETENTION: "SELECT add_retention_policy(%(relation)s::regclass, drop_after => %(drop_after)s::interval)",
}
_REMOVE = {
    REFRESH: "SELECT remove_continuous_aggregate_policy(%s::regclass)",
    COLUMNSTORE: "CALL remove_columnstore_policy(%s::regclass)",
    RETENTION: "SELECT remove_retention_policy(%s::regclass)",
}


def policies(settings: StoreSettings) -> Iterator[Policy]:
    """Yield every policy that a store with these settings has."""
    horizon = settings.lateness + settings.slack
    for level in LEVELS:
        # Three buckets more, because a refresh takes only whole ones.
        start = settings.lateness + timedelta(microseconds=3 * level.width_us)
        end = timedelta(microseconds=level.tail_us)
        yield Policy(level.name, REFRESH, {"start_offset": start, "end_offset": end}, _EVERY[level.name])
    for relation in ("ticks", "signals", "ohlc_1s"):
        yield Policy(relation, COLUMNSTORE, {"compress_after": horizon})
    for relation in ("ticks", "signals", *(level.name for level in LEVELS)):
        if (keep := settings.retentions[relation]) is not None:
            yield Policy(relation, RETENTION, {"drop_after": keep})


def apply(connection: psycopg.Connection[Any], settings: StoreSettings) -> None:
    """Make the store's policies those of `settings`; one that is right already keeps its job and its history."""
    wanted = {(one.relation, one.kind): one for one in policies(settings)}
    with connection.transaction():
        rows = connection.execute(_PRESENT, {"keys": _KEYS, "kinds": list(_ADD)}).fetchall()
        for relation, kind, every, keys, offsets in rows:
            key, present = (relation, kind), dict(zip(keys, offsets, strict=True))
            policy = wanted.get(key)
            if policy and policy.offsets == present and policy.every in (None, every):
                del wanted[key]
            else:
                connection.execute(_REMOVE[kind], [relation])
        for one in wanted.values():
            values = {"relation": one.relation, "every": one.every, **one.offsets, **BATCHES}
            connection.execute(_ADD[one.kind], values)
