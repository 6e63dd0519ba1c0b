-- Messages that a service could not read, because the broker had deleted them before: what it said on `tape-events`, and
-- who has taken note of it. Until somebody has, the service counts as degraded.
CREATE SEQUENCE losses_stored;
CREATE TABLE losses (
    reader          text        NOT NULL,  -- the service
    topic           text        NOT NULL,
    partition       integer     NOT NULL,
    at              timestamptz NOT NULL,  -- when the reader said it, by its clock
    messages        bigint      NOT NULL CHECK (messages > 0),
    number          bigint      DEFAULT nextval('losses_stored'),  -- grows: what was told up to one can be acknowledged
    acknowledged_at timestamptz,
    acknowledged_by text,                  -- the name of a key, `local` without keys
    PRIMARY KEY (reader, topic, partition, at),
    CHECK ((acknowledged_at IS NULL) = (acknowledged_by IS NULL))
);
CREATE INDEX losses_unacknowledged ON losses (reader, topic) WHERE acknowledged_at IS NULL;
