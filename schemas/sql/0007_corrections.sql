-- What trades that came after their second had closed have changed. TimescaleDB takes a column that may not be null
-- where chunks are compressed only with a constant default, and one in a statement.
ALTER TABLE signals ADD COLUMN late integer NOT NULL DEFAULT 0;      -- trades of its second that came after its close
ALTER TABLE signals ADD COLUMN revision integer NOT NULL DEFAULT 0;  -- how often it was corrected; the highest stays

-- A transition that does not hold once late trades are known is followed by one that retracts it.
ALTER TABLE alerts DROP CONSTRAINT alerts_state_check;
ALTER TABLE alerts ADD CONSTRAINT alerts_state_check CHECK (state IN ('firing', 'resolved', 'retracted'));
ALTER TABLE alerts ADD COLUMN y_age_s float8;  -- how old the price of each leg was
ALTER TABLE alerts ADD COLUMN x_age_s float8;
ALTER TABLE alerts ADD COLUMN retracts text;   -- the alert that does not hold
CREATE INDEX alerts_by_what_they_retract ON alerts (retracts) WHERE retracts IS NOT NULL;
