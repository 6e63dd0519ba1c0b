-- Jobs: work that takes longer than a request may, done by services/research. Of equal jobs that have not ended there is
-- one. A running job belongs to the worker that renews its lease; when that is over another one takes it.
CREATE TABLE jobs (
    job_id       text        PRIMARY KEY,
    kind         text        NOT NULL,
    request      jsonb       NOT NULL,
    equality     text        NOT NULL,
    state        text        NOT NULL DEFAULT 'waiting'
                 CHECK (state IN ('waiting', 'running', 'done', 'failed', 'cancelled')),
    asked_at     timestamptz NOT NULL DEFAULT now(),
    started_at   timestamptz,
    ended_at     timestamptz,
    estimate_s   float8      NOT NULL,               -- of the whole job, when it was asked for
    progress     float8      NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 1),
    step         text,                               -- what it is at
    attempts     integer     NOT NULL DEFAULT 0,
    worker       text,
    leased_until timestamptz,
    reason       text,                               -- why it failed
    result       jsonb                               -- what it found, in short
);
CREATE UNIQUE INDEX jobs_equal ON jobs (equality) WHERE state IN ('waiting', 'running');
CREATE INDEX jobs_asked ON jobs (asked_at, job_id);

-- The pairs of a scan, the least p-value first; those that could not be tested come last, with the reason. Of the first
-- ones the spread is there, in some points, to be drawn.
CREATE TABLE scan_pairs (
    job_id                text    NOT NULL REFERENCES jobs ON DELETE CASCADE,
    rank                  integer NOT NULL CHECK (rank > 0),
    y                     text    NOT NULL,
    x                     text    NOT NULL,
    stage                 text    NOT NULL
                          CHECK (stage IN ('refused', 'tried', 'significant', 'corrected', 'confirmed')),
    p_value               float8,
    adjusted_p_value      float8,
    held_out_p_value      float8,
    trace_statistic       float8,
    trace_critical_value  float8,
    break_statistic       float8,
    break_critical_value  float8,
    break_ts              timestamptz,
    hedge_ratio           float8,
    hedge_ratio_se        float8,
    r_squared             float8,
    half_life_bars        float8,
    spread_bp             float8,
    level_correlation     float8,
    return_correlation    float8,
    reason                text,
    spread                real[],
    PRIMARY KEY (job_id, rank)
);
