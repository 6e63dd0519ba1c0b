-- What people say of an alert that opened an incident: that it was a false alarm, and why.
ALTER TABLE alert_handling
    ADD COLUMN false_at timestamptz,
    ADD COLUMN false_by text,                    -- the name of a key, `local` without keys
    ADD COLUMN note     text NOT NULL DEFAULT '',
    ADD CHECK ((false_at IS NULL) = (false_by IS NULL));

-- What a rule is worth is counted over its own alerts alone.
CREATE INDEX alerts_by_rule ON alerts (rule, ts DESC, alert_id);
