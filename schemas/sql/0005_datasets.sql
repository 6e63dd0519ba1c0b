-- How each file of a dataset was read, what was found in them, and what each symbol has.
ALTER TABLE datasets ADD COLUMN files jsonb CHECK (jsonb_typeof(files) = 'array');
UPDATE datasets SET files = jsonb_build_array(jsonb_build_object('name', file_name));
ALTER TABLE datasets ALTER COLUMN files SET NOT NULL, DROP COLUMN file_name;
ALTER TABLE datasets ADD COLUMN findings jsonb NOT NULL DEFAULT '{}'  -- how many of each kind
    CHECK (jsonb_typeof(findings) = 'object');
UPDATE datasets SET findings = jsonb_build_object('rejected', rejected);
ALTER TABLE datasets ALTER COLUMN findings DROP DEFAULT, DROP COLUMN rejected;

CREATE TABLE dataset_symbols (
    dataset_id text        NOT NULL REFERENCES datasets ON DELETE CASCADE,
    symbol     text        NOT NULL,
    first_ts   timestamptz NOT NULL,
    last_ts    timestamptz NOT NULL,
    bars       bigint      NOT NULL CHECK (bars > 0),
    gaps       bigint      NOT NULL CHECK (gaps >= 0),     -- places where a bar or more are missing
    missing    bigint      NOT NULL CHECK (missing >= 0),  -- bars that would fit into them
    PRIMARY KEY (dataset_id, symbol)
);
INSERT INTO dataset_symbols
SELECT dataset_id, symbol, min(ts), max(ts), count(*), count(*) FILTER (WHERE step > bar_width),
       coalesce(sum(ceil(extract(epoch FROM step) / extract(epoch FROM bar_width)) - 1), 0)
FROM (
    SELECT dataset_id, symbol, ts, bar_width,
           ts - lag(ts) OVER (PARTITION BY dataset_id, symbol ORDER BY ts) AS step
    FROM dataset_bars JOIN datasets USING (dataset_id)
) AS steps
GROUP BY dataset_id, symbol;

-- The first findings of each kind, line by line.
CREATE TABLE dataset_findings (
    dataset_id text    NOT NULL REFERENCES datasets ON DELETE CASCADE,
    nth        integer NOT NULL,
    kind       text    NOT NULL CHECK (kind IN ('rejected', 'out of order', 'repeated', 'gap')),
    file       text,    -- null: of a gap, which is in no line
    line       bigint,
    reason     text    NOT NULL,
    PRIMARY KEY (dataset_id, nth)
);

-- The bars of a dataset put together to wider ones when it is stored, because then every page of them is as quick.
-- Buckets begin at multiples of their width since 1970, as those of the market do.
CREATE TABLE dataset_wider_bars (
    dataset_id text        NOT NULL REFERENCES datasets ON DELETE CASCADE,
    width      text        NOT NULL CHECK (width IN ('1m', '5m', '1h')),
    symbol     text        NOT NULL,
    ts         timestamptz NOT NULL,
    open       float8      NOT NULL,
    high       float8      NOT NULL,
    low        float8      NOT NULL,
    close      float8      NOT NULL,
    volume     float8,
    PRIMARY KEY (dataset_id, width, symbol, ts)
);
INSERT INTO dataset_wider_bars
SELECT dataset_id, width, symbol, date_bin(width::interval, ts, 'epoch') AS bucket, (array_agg(open ORDER BY ts))[1],
       max(high), min(low), (array_agg(close ORDER BY ts))[count(*)], sum(volume ORDER BY ts)
FROM datasets JOIN dataset_bars USING (dataset_id) CROSS JOIN (VALUES ('1m'), ('5m'), ('1h')) AS widths (width)
WHERE width::interval > bar_width AND mod(extract(epoch FROM width::interval), extract(epoch FROM bar_width)) = 0
GROUP BY dataset_id, width, symbol, bucket;
