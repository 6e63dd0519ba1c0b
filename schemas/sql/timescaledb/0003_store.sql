-- What TimescaleDB makes of the store: the same relations and columns, as hypertables and continuous aggregates.
-- It runs right after the revision of its number, or later on a store that was plain until then: every row is
-- kept, and so are bars whose ticks are gone. Policies depend on settings and are applied by the code.

-- Before PostgreSQL 18 the primary key is no way to find a moment of all symbols.
SELECT create_hypertable(
    'ticks', by_range('ts', interval '1 day'), migrate_data => true,
    create_default_indexes => current_setting('server_version_num')::int < 180000
);
ALTER TABLE ticks SET (
    timescaledb.enable_columnstore, timescaledb.segmentby = 'symbol', timescaledb.orderby = 'ts, trade_id'
);
SELECT create_hypertable(
    'signals', by_range('ts', interval '7 days'), migrate_data => true, create_default_indexes => false
);
ALTER TABLE signals SET (
    timescaledb.enable_columnstore, timescaledb.segmentby = 'pair', timescaledb.orderby = 'ts'
);

ALTER TABLE ohlc_1s RENAME TO plain_1s;
ALTER TABLE ohlc_1m RENAME TO plain_1m;
ALTER TABLE ohlc_5m RENAME TO plain_5m;
ALTER TABLE ohlc_1h RENAME TO plain_1h;

-- Everything is taken in the order of trade ids, as the sink does on plain tables: the same ticks give the same
-- bits. Real-time: what is not aggregated yet is computed from the level below when it is read.
CREATE MATERIALIZED VIEW ohlc_1s
WITH (timescaledb.continuous, timescaledb.materialized_only = false, timescaledb.chunk_interval = '7 days') AS
SELECT symbol, time_bucket('1 second', ts) AS ts,
       (array_agg(price ORDER BY trade_id, ts))[1] AS open, max(price) AS high, min(price) AS low,
       (array_agg(price ORDER BY trade_id, ts))[count(*)] AS close,
       sum(size ORDER BY trade_id, ts) AS volume,
       sum(price * size ORDER BY trade_id, ts) AS quote_volume,
       count(*) AS trade_count, min(trade_id) AS first_id, max(trade_id) AS last_id
FROM ticks GROUP BY symbol, time_bucket('1 second', ts)
WITH NO DATA;

CREATE MATERIALIZED VIEW ohlc_1m
WITH (timescaledb.continuous, timescaledb.materialized_only = false, timescaledb.chunk_interval = '28 days') AS
SELECT symbol, time_bucket('1 minute', ts) AS ts,
       (array_agg(open ORDER BY first_id, ts))[1] AS open, max(high) AS high, min(low) AS low,
       (array_agg(close ORDER BY last_id DESC, ts DESC))[1] AS close,
       sum(volume ORDER BY ts) AS volume, sum(quote_volume ORDER BY ts) AS quote_volume,
       sum(trade_count)::bigint AS trade_count, min(first_id) AS first_id, max(last_id) AS last_id
FROM ohlc_1s GROUP BY symbol, time_bucket('1 minute', ts)
WITH NO DATA;

CREATE MATERIALIZED VIEW ohlc_5m
WITH (timescaledb.continuous, timescaledb.materialized_only = false, timescaledb.chunk_interval = '84 days') AS
SELECT symbol, time_bucket('5 minutes', ts) AS ts,
       (array_agg(open ORDER BY first_id, ts))[1] AS open, max(high) AS high, min(low) AS low,
       (array_agg(close ORDER BY last_id DESC, ts DESC))[1] AS close,
       sum(volume ORDER BY ts) AS volume, sum(quote_volume ORDER BY ts) AS quote_volume,
       sum(trade_count)::bigint AS trade_count, min(first_id) AS first_id, max(last_id) AS last_id
FROM ohlc_1m GROUP BY symbol, time_bucket('5 minutes', ts)
WITH NO DATA;

CREATE MATERIALIZED VIEW ohlc_1h
WITH (timescaledb.continuous, timescaledb.materialized_only = false, timescaledb.chunk_interval = '364 days') AS
SELECT symbol, time_bucket('1 hour', ts) AS ts,
       (array_agg(open ORDER BY first_id, ts))[1] AS open, max(high) AS high, min(low) AS low,
       (array_agg(close ORDER BY last_id DESC, ts DESC))[1] AS close,
       sum(volume ORDER BY ts) AS volume, sum(quote_volume ORDER BY ts) AS quote_volume,
       sum(trade_count)::bigint AS trade_count, min(first_id) AS first_id, max(last_id) AS last_id
FROM ohlc_5m GROUP BY symbol, time_bucket('1 hour', ts)
WITH NO DATA;

ALTER MATERIALIZED VIEW ohlc_1s
SET (timescaledb.enable_columnstore, timescaledb.segmentby = 'symbol', timescaledb.orderby = 'ts');

-- The hypertables that hold aggregated bars are named by the extension. Bars move into them as they are,
-- because ticks may have been deleted since.
DO $$
DECLARE
    bars record;
BEGIN
    FOR bars IN
        SELECT view_name, replace(view_name, 'ohlc_', 'plain_') AS plain,
               materialization_hypertable_schema AS schema, materialization_hypertable_name AS name
        FROM timescaledb_information.continuous_aggregates
        WHERE view_schema = current_schema() AND view_name IN ('ohlc_1s', 'ohlc_1m', 'ohlc_5m', 'ohlc_1h')
    LOOP
        EXECUTE format('INSERT INTO %I.%I SELECT * FROM %I', bars.schema, bars.name, bars.plain);
    END LOOP;
END $$;

DROP TABLE plain_1s, plain_1m, plain_5m, plain_1h;
