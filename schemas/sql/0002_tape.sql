-- How complete the tape is: which trades were asked for afterwards, and the ledger of gaps.

ALTER TABLE ticks ADD COLUMN repaired boolean NOT NULL DEFAULT false;

-- One row for each run of trade ids that a stream jumped over, in the state its latest event gave it.
CREATE TABLE gaps (
    symbol     text        NOT NULL,
    first_id   bigint      NOT NULL,  -- the first and the last id that was missed
    last_id    bigint      NOT NULL,
    venue      text        NOT NULL,
    start_ts   timestamptz NOT NULL,  -- the venue's times of the trades before and after
    end_ts     timestamptz NOT NULL,
    found_at   timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    state      text        NOT NULL CHECK (state IN ('found', 'unrepaired', 'refuted', 'repaired')),
    missing    bigint      NOT NULL CHECK (missing >= 0),  -- ids that are missing still
    reason     text,
    PRIMARY KEY (symbol, first_id, last_id),
    CHECK (first_id <= last_id)
);
-- An open gap is one whose trades are missing still.
CREATE INDEX gaps_open ON gaps (symbol, first_id) WHERE state IN ('found', 'unrepaired');
CREATE INDEX gaps_by_time ON gaps (start_ts, symbol, first_id, last_id);
