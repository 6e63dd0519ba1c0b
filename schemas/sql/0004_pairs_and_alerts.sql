-- The pairs that are analysed, and how: a mirror of the topic `pairs`, column by column. Nothing has written the
-- table before; a revision or the time of a change is nothing the topic could tell.
DROP TABLE pairs;
CREATE TABLE pairs (
    pair          text    PRIMARY KEY,
    y             text    NOT NULL,  -- the leg that is regressed ...
    x             text    NOT NULL,  -- ... on this one
    "window"      integer NOT NULL CHECK ("window" > 0),  -- samples of one second
    method        text    NOT NULL,  -- how the hedge ratio is fitted
    transform     text    NOT NULL CHECK (transform IN ('price', 'log')),
    intercept     boolean NOT NULL,
    min_samples   integer NOT NULL CHECK (min_samples > 0),
    entry_z       float8  NOT NULL,
    exit_z        float8  NOT NULL CHECK (exit_z >= 0),
    stale_after_s float8  NOT NULL CHECK (stale_after_s > 0),
    paused        boolean NOT NULL,
    CHECK (x <> y AND pair = y || '-' || x),
    CHECK (exit_z < entry_z)
);

-- Pairs that somebody has removed: no start with the same settings brings them back.
CREATE TABLE removed_pairs (
    pair       text        PRIMARY KEY,
    removed_at timestamptz NOT NULL
);

-- What people did about an alert.
CREATE TABLE alert_handling (
    alert_id      text        PRIMARY KEY REFERENCES alerts ON DELETE CASCADE,
    acked_at      timestamptz,
    acked_by      text,        -- the name of a key, `local` without keys
    snoozed_until timestamptz,
    CHECK ((acked_at IS NULL) = (acked_by IS NULL))
);
