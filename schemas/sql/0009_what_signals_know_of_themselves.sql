-- What a signal says of its own numbers: errors, rank, outliers, and once a minute the window as a whole.
-- TimescaleDB takes a column that may not be null where chunks are compressed only with a constant default, and one in
-- a statement.
ALTER TABLE signals ADD COLUMN hedge_ratio_se float8;      -- as if the errors were independent
ALTER TABLE signals ADD COLUMN r_squared float8;
ALTER TABLE signals ADD COLUMN zscore_rank float8;         -- share of the last hour's |z| that were smaller
ALTER TABLE signals ADD COLUMN outlier boolean NOT NULL DEFAULT false;
ALTER TABLE signals ADD COLUMN outliers integer NOT NULL DEFAULT 0;  -- in its window
ALTER TABLE signals ADD COLUMN return_correlation float8;
ALTER TABLE signals ADD COLUMN lead_lag_s float8;          -- above 0: y leads
ALTER TABLE signals ADD COLUMN reversion text;             -- reverting, unproven or broken
ALTER TABLE signals ADD COLUMN cointegration_p float8;
ALTER TABLE signals ADD COLUMN half_life_s float8;         -- null: no end
ALTER TABLE signals ADD COLUMN half_life_low_s float8;
ALTER TABLE signals ADD COLUMN half_life_high_s float8;
ALTER TABLE alerts ADD COLUMN reversion text;

ALTER TABLE pairs ADD COLUMN only_while_reverting boolean NOT NULL DEFAULT false;  -- a gate of the alert
