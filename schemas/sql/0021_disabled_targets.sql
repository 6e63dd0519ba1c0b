-- Of which targets an alert says that they are disabled; without a key, as one may be removed before its end is told.
ALTER TABLE targets DROP COLUMN disabled_told;
CREATE TABLE disabled_targets (
    target_id text        PRIMARY KEY,
    since     timestamptz NOT NULL
);
