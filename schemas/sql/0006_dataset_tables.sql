-- The bars of each dataset, and those put together of them, in tables of their own: filled before they have an index,
-- and dropped whole.
CREATE FUNCTION create_dataset_bars(relation text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(
        'CREATE TABLE %I (
            symbol text        NOT NULL,
            ts     timestamptz NOT NULL,  -- the start of the bucket, as in ohlc_*
            open   float8      NOT NULL CHECK (open > 0),
            high   float8      NOT NULL,
            low    float8      NOT NULL,
            close  float8      NOT NULL CHECK (close > 0),
            volume float8      CHECK (volume >= 0),  -- null: the file had none
            CHECK (low > 0 AND low <= least(open, close) AND high >= greatest(open, close))
        )', relation);
END $$;

CREATE FUNCTION drop_dataset_bars() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(
        'DROP TABLE IF EXISTS %I, %I, %I, %I',
        'dataset_bars_' || old.dataset_id,
        'dataset_bars_' || old.dataset_id || '_1m',
        'dataset_bars_' || old.dataset_id || '_5m',
        'dataset_bars_' || old.dataset_id || '_1h'
    );
    RETURN NULL;
END $$;
CREATE TRIGGER bars_go_with_their_dataset AFTER DELETE ON datasets
FOR EACH ROW EXECUTE FUNCTION drop_dataset_bars();

DO $$
DECLARE
    one record;
BEGIN
    FOR one IN
        SELECT dataset_id, NULL AS width, 'dataset_bars_' || dataset_id AS relation FROM datasets
        UNION ALL
        SELECT DISTINCT dataset_id, width, 'dataset_bars_' || dataset_id || '_' || width FROM dataset_wider_bars
    LOOP
        PERFORM create_dataset_bars(one.relation);
        IF one.width IS NULL THEN
            EXECUTE format(
                'INSERT INTO %I SELECT symbol, ts, open, high, low, close, volume FROM dataset_bars
                 WHERE dataset_id = %L ORDER BY symbol, ts', one.relation, one.dataset_id);
        ELSE
            EXECUTE format(
                'INSERT INTO %I SELECT symbol, ts, open, high, low, close, volume FROM dataset_wider_bars
                 WHERE dataset_id = %L AND width = %L ORDER BY symbol, ts',
                one.relation, one.dataset_id, one.width);
        END IF;
        EXECUTE format('ALTER TABLE %I ADD PRIMARY KEY (symbol, ts)', one.relation);
    END LOOP;
END $$;
DROP TABLE dataset_bars, dataset_wider_bars;
