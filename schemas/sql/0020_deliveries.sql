-- Delivery of alerts: targets, what is open of their routing, and the log of deliveries, which is also the queue. The
-- table of before had nobody who wrote it.
DROP TABLE deliveries;

-- What is secret of a target stands beside it, so that whoever reads targets does not read secrets.
CREATE TABLE targets (
    id              text        PRIMARY KEY,
    target          jsonb       NOT NULL CHECK (jsonb_typeof(target) = 'object'),
    url             text        NOT NULL,
    secret          text        NOT NULL,
    former_secret   text,
    former_until    timestamptz,             -- until then messages are signed with the former secret, too
    made_at         timestamptz NOT NULL DEFAULT now(),
    changed_at      timestamptz NOT NULL DEFAULT now(),
    failing_since   timestamptz,             -- since then nothing has been delivered, though it was tried
    blocked_until   timestamptz,             -- the receiver has asked to be left alone until then
    paced_until     timestamptz NOT NULL DEFAULT '-infinity',  -- where the rate limit stands: deliveries so far, in time
    disabled_at     timestamptz,
    disabled_reason text,
    disabled_told   text,                    -- the alert that was told of it, until its end is told
    CHECK ((disabled_at IS NULL) = (disabled_reason IS NULL))
);

-- Open incidents of a target: written in the transaction that moves the offsets (`stream_offsets`, as the cluster
-- `delivery/<id>`) and puts into `deliveries` what is to be told.
CREATE TABLE delivery_incidents (
    target_id text  NOT NULL REFERENCES targets ON DELETE CASCADE,
    key       text  NOT NULL,
    incident  bytea NOT NULL,  -- msgpack of services/rules/routing.py
    PRIMARY KEY (target_id, key)
);

CREATE TABLE deliveries (
    delivery_id  text        PRIMARY KEY,
    target_id    text        NOT NULL,  -- no key: the log outlives the target
    kind         text        NOT NULL
                 CHECK (kind IN ('begun', 'ended', 'again', 'escalated', 'silence_over', 'test')),
    alert_ids    text[]      NOT NULL,
    title        text        NOT NULL,
    message      bytea       NOT NULL,  -- JSON of services/contracts/targets.py
    ts           timestamptz NOT NULL DEFAULT now(),
    state        text        NOT NULL DEFAULT 'waiting'
                 CHECK (state IN ('waiting', 'failed', 'delivered', 'dead', 'skipped')),
    reason       text,                  -- what the other side answered, or why it was not asked; without secrets
    status       integer,               -- of HTTP or of SMTP
    tries        integer     NOT NULL DEFAULT 0,
    next_at      timestamptz NOT NULL DEFAULT now(),
    leased_until timestamptz,           -- somebody is sending it
    tried_at     timestamptz,
    ended_at     timestamptz,
    took_ms      integer CHECK (took_ms >= 0)
);
CREATE INDEX deliveries_by_time ON deliveries (ts, delivery_id);
CREATE INDEX deliveries_due ON deliveries (target_id, next_at) WHERE state IN ('waiting', 'failed');
CREATE INDEX deliveries_of_alerts ON deliveries USING gin (alert_ids);
