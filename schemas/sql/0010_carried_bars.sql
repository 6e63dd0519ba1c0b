-- Which bars of a dataset are carried: nothing traded, and the price is that of the bar before. Of how many bars of the
-- files each bar is made.
ALTER TABLE dataset_symbols ADD COLUMN carried bigint CHECK (carried >= 0);  -- null: no volume says it
ALTER TABLE dataset_findings DROP CONSTRAINT dataset_findings_kind_check, ADD CONSTRAINT dataset_findings_kind_check
    CHECK (kind IN ('rejected', 'out of order', 'repeated', 'gap', 'carried'));

CREATE OR REPLACE FUNCTION create_dataset_bars(relation text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(
        'CREATE TABLE %I (
            symbol  text        NOT NULL,
            ts      timestamptz NOT NULL,  -- the start of the bucket, as in ohlc_*
            open    float8      NOT NULL CHECK (open > 0),
            high    float8      NOT NULL,
            low     float8      NOT NULL,
            close   float8      NOT NULL CHECK (close > 0),
            volume  float8      CHECK (volume >= 0),  -- null: the file had none
            carried boolean     NOT NULL DEFAULT false,
            parts   integer     NOT NULL DEFAULT 1 CHECK (parts > 0),  -- bars of the files in it
            CHECK (low > 0 AND low <= least(open, close) AND high >= greatest(open, close))
        )', relation);
END $$;

-- Mark the carried bars of the files themselves and return how many; the table has its key. Of a symbol without any volume above 0 nobody
-- knows what traded. The first bar has none before it: if nothing traded in it, its price is from before the file.
CREATE FUNCTION mark_carried_bars(dataset text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    relation text := 'dataset_bars_' || dataset;
    marked   bigint;
BEGIN
    EXECUTE format(
        'UPDATE %1$I AS bars SET carried = true
         WHERE volume = 0 AND high = low AND close = coalesce((
             SELECT before.close FROM %1$I AS before
             WHERE before.symbol = bars.symbol AND before.ts < bars.ts ORDER BY before.ts DESC LIMIT 1
         ), close) AND symbol IN (SELECT symbol FROM %1$I GROUP BY symbol HAVING max(volume) > 0)', relation);
    GET DIAGNOSTICS marked = ROW_COUNT;
    EXECUTE format(
        'UPDATE dataset_symbols SET carried = counted.carried FROM (
             SELECT symbol, count(*) FILTER (WHERE carried) AS carried FROM %I GROUP BY symbol HAVING max(volume) > 0
         ) AS counted WHERE dataset_id = %L AND dataset_symbols.symbol = counted.symbol', relation, dataset);
    RETURN marked;
END $$;

DO $$
DECLARE
    one      record;
    relation text;
BEGIN
    FOR one IN SELECT dataset_id, width FROM datasets CROSS JOIN (VALUES (NULL), ('1m'), ('5m'), ('1h')) AS widths (width)
    LOOP
        relation := 'dataset_bars_' || one.dataset_id || coalesce('_' || one.width, '');
        CONTINUE WHEN to_regclass(quote_ident(relation)) IS NULL;
        EXECUTE format(
            'ALTER TABLE %I ADD COLUMN carried boolean NOT NULL DEFAULT false,
             ADD COLUMN parts integer NOT NULL DEFAULT 1 CHECK (parts > 0)', relation);
        IF one.width IS NULL THEN
            PERFORM mark_carried_bars(one.dataset_id);
        ELSE
            EXECUTE format(
                'UPDATE %I AS wider SET carried = finer.carried, parts = finer.parts FROM (
                     SELECT symbol, date_bin(%L::interval, ts, ''epoch'') AS bucket,
                            bool_and(carried) AS carried, count(*) AS parts
                     FROM %I GROUP BY symbol, bucket
                 ) AS finer WHERE wider.symbol = finer.symbol AND wider.ts = finer.bucket',
                relation, one.width, 'dataset_bars_' || one.dataset_id);
        END IF;
    END LOOP;
END $$;

-- Which open gaps a bar has to do with. Of a gap whose trades have times out of order nothing is missing.
CREATE INDEX gaps_open_times ON gaps USING gist (tstzrange(start_ts, greatest(start_ts, end_ts)))
    WHERE state IN ('found', 'unrepaired');
