-- What people set up and upload, and what became of the messages sent to them. Ids are made by the code.

-- What no bar could sum would stop an aggregate for good; the messages have the same bounds.
ALTER TABLE ticks ADD CHECK (price < 1e20 AND size < 1e20);

-- The pairs that are analysed, and how; a mirror of the topic `pairs`, whose later revision wins.
CREATE TABLE pairs (
    pair          text        PRIMARY KEY,
    y             text        NOT NULL,  -- the leg that is regressed ...
    x             text        NOT NULL,  -- ... on this one
    method        text        NOT NULL,  -- how the hedge ratio is fitted
    price         text        NOT NULL CHECK (price IN ('price', 'log')),
    "window"      integer     NOT NULL CHECK ("window" > 0),  -- samples of one second
    min_samples   integer     NOT NULL CHECK (min_samples BETWEEN 1 AND "window"),
    entry_z       float8      NOT NULL,
    exit_z        float8      NOT NULL CHECK (exit_z >= 0),
    stale_after_s float8      NOT NULL CHECK (stale_after_s > 0),
    revision      bigint      NOT NULL CHECK (revision > 0),  -- one more at each change
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    CHECK (x <> y AND pair = y || '-' || x),
    CHECK (exit_z < entry_z)
);

-- When to raise an alert. What a condition may say is the code's to check: it grows, the table does not.
CREATE TABLE rules (
    rule_id       text        PRIMARY KEY,
    name          text        NOT NULL,
    pair          text,                  -- null: every pair
    condition     jsonb       NOT NULL CHECK (jsonb_typeof(condition) = 'object'),
    severity      text        NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    channels      text[]      NOT NULL,  -- names of channels, whose addresses and secrets are not stored here
    enabled       boolean     NOT NULL,
    snoozed_until timestamptz,           -- null: not snoozed
    revision      bigint      NOT NULL CHECK (revision > 0),
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL
);

-- Uploaded history, apart from everything live: a dataset never changes a bar of the market.
CREATE TABLE datasets (
    dataset_id  text        PRIMARY KEY,
    name        text        NOT NULL UNIQUE,
    file_name   text        NOT NULL,
    sha256      bytea       NOT NULL CHECK (octet_length(sha256) = 32),  -- of the file: the same file twice is told
    bar_width   interval    NOT NULL CHECK (bar_width > interval '0'),
    bars        bigint      NOT NULL CHECK (bars >= 0),
    rejected    bigint      NOT NULL CHECK (rejected >= 0),  -- lines that were no bar
    uploaded_at timestamptz NOT NULL
);
CREATE TABLE dataset_bars (
    dataset_id text        NOT NULL REFERENCES datasets ON DELETE CASCADE,
    symbol     text        NOT NULL,
    ts         timestamptz NOT NULL,  -- the start of the bucket, as in ohlc_*
    open       float8      NOT NULL CHECK (open > 0),
    high       float8      NOT NULL,
    low        float8      NOT NULL,
    close      float8      NOT NULL CHECK (close > 0),
    volume     float8      CHECK (volume >= 0),  -- null: the file had none
    PRIMARY KEY (dataset_id, symbol, ts),
    CHECK (low > 0 AND low <= least(open, close) AND high >= greatest(open, close))
);

-- One row for each attempt to tell somebody of an alert. No key to alerts: a notifier hears of one before the
-- sink has stored it.
CREATE TABLE deliveries (
    alert_id text        NOT NULL,
    channel  text        NOT NULL,
    attempt  integer     NOT NULL CHECK (attempt > 0),
    ts       timestamptz NOT NULL,
    state    text        NOT NULL CHECK (state IN ('delivered', 'failed', 'abandoned')),
    detail   text,                     -- what the other side answered, without secrets
    took_ms  integer     NOT NULL CHECK (took_ms >= 0),
    PRIMARY KEY (alert_id, channel, attempt)
);
CREATE INDEX deliveries_by_time ON deliveries (ts);
