-- Radars: standing scans. Each is scanned again and again; of its scans the last one is kept, and of the pairs that it
-- has confirmed all history.
CREATE TABLE radars (
    radar_id   text        PRIMARY KEY,
    request    jsonb       NOT NULL,
    every_s    integer     NOT NULL CHECK (every_s > 0),
    paused     boolean     NOT NULL DEFAULT false,
    state      text        NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'watching', 'unfit')),
    reason     text,                                             -- why nothing could be scanned the last time
    job_id     text,                                             -- the scan that was done last
    scanned_at timestamptz,
    next_at    timestamptz NOT NULL DEFAULT now()
);
INSERT INTO radars (radar_id, request, every_s) VALUES ('default', '{"interval": "1m"}', 300);

-- From when to when a radar has confirmed a pair; leg_a is the lesser name of the two, whichever is regressed on which.
CREATE TABLE radar_confirmations (
    radar_id          text        NOT NULL REFERENCES radars ON DELETE CASCADE,
    leg_a             text        NOT NULL,
    leg_b             text        NOT NULL CHECK (leg_a < leg_b),
    confirmed_at      timestamptz NOT NULL,
    y                 text        NOT NULL,
    x                 text        NOT NULL,
    last_confirmed_at timestamptz NOT NULL,
    ended_at          timestamptz,
    end_reason        text,
    missed            integer     NOT NULL DEFAULT 0,            -- scans in a row that have not confirmed it
    scans             integer     NOT NULL DEFAULT 1,            -- scans that have
    p_value           float8      NOT NULL,
    hedge_ratio       float8,
    half_life_bars    float8,
    spread_bp         float8,
    told              smallint    NOT NULL DEFAULT 0,            -- events on the topic: 1 its begin, 2 its end, too
    PRIMARY KEY (radar_id, leg_a, leg_b, confirmed_at)
);
CREATE UNIQUE INDEX radar_confirmations_open ON radar_confirmations (radar_id, leg_a, leg_b) WHERE ended_at IS NULL;
CREATE INDEX radar_confirmations_untold ON radar_confirmations (radar_id)
    WHERE told < CASE WHEN ended_at IS NULL THEN 1 ELSE 2 END;
