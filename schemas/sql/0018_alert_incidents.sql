-- Alerts of rules that people write: incidents, their end and how long they lasted, and more states than two.
ALTER TABLE alerts
    ADD COLUMN incident_id    text NOT NULL DEFAULT '',  -- the same from the beginning to the end of what holds
    ADD COLUMN duration_s     float8 CHECK (duration_s >= 0),
    ADD COLUMN valid_until_us bigint,                    -- whoever reads it later should not act on it; since 1970
    DROP CONSTRAINT alerts_state_check,
    ADD CONSTRAINT alerts_state_check CHECK (
        state IN ('firing', 'resolved', 'retracted', 'pending', 'recovering', 'no_data', 'error', 'ended')
    );
CREATE INDEX alerts_by_incident ON alerts (incident_id) WHERE incident_id <> '';

-- The rules and silences that people have written: mirrors of the topics `rules` and `silences`, and of those that
-- were removed the ids, without a value, so that a start brings none of them back. Nothing was ever in the table before.
DROP TABLE rules;
CREATE TABLE rules (
    id   text  PRIMARY KEY,
    rule jsonb CHECK (jsonb_typeof(rule) = 'object')
);
CREATE TABLE silences (
    id      text  PRIMARY KEY,
    silence jsonb CHECK (jsonb_typeof(silence) = 'object')
);
