-- Every table of the store. Times are timestamptz, exact to the microsecond; prices and sizes are float8.

CREATE TABLE ticks (
    symbol         text        NOT NULL,
    ts             timestamptz NOT NULL,  -- the venue's trade time
    trade_id       bigint      NOT NULL,
    venue          text        NOT NULL,
    received_at    timestamptz NOT NULL,
    price          float8      NOT NULL CHECK (price > 0),
    size           float8      NOT NULL CHECK (size > 0),
    buyer_is_maker boolean     NOT NULL,
    PRIMARY KEY (symbol, ts, trade_id)
);

-- Bars, kept current in the sink's own transaction. ts is the start of the bucket. open and close are the
-- prices of the lowest and the highest trade id; vwap = quote_volume / volume.
CREATE TABLE ohlc_1s (
    symbol       text        NOT NULL,
    ts           timestamptz NOT NULL,
    open         float8      NOT NULL,
    high         float8      NOT NULL,
    low          float8      NOT NULL,
    close        float8      NOT NULL,
    volume       float8      NOT NULL,
    quote_volume float8      NOT NULL,
    trade_count  bigint      NOT NULL,
    first_id     bigint      NOT NULL,
    last_id      bigint      NOT NULL,
    PRIMARY KEY (symbol, ts)
);
CREATE TABLE ohlc_1m (LIKE ohlc_1s INCLUDING ALL);
CREATE TABLE ohlc_5m (LIKE ohlc_1s INCLUDING ALL);
CREATE TABLE ohlc_1h (LIKE ohlc_1s INCLUDING ALL);

CREATE TABLE signals (
    pair         text        NOT NULL,
    ts           timestamptz NOT NULL,  -- the end of the second it closes
    y_price      float8      NOT NULL,
    x_price      float8      NOT NULL,
    hedge_ratio  float8,
    intercept    float8,
    method       text        NOT NULL,
    spread       float8,
    zscore       float8,
    correlation  float8,
    "window"     integer     NOT NULL,
    samples      integer     NOT NULL,
    quality      text        NOT NULL,
    reason       text,
    PRIMARY KEY (pair, ts)
);

CREATE TABLE alerts (
    alert_id  text        PRIMARY KEY,
    rule_id   text        NOT NULL,
    pair      text        NOT NULL,
    ts        timestamptz NOT NULL,
    state     text        NOT NULL CHECK (state IN ('firing', 'resolved')),
    value     float8      NOT NULL,
    threshold float8      NOT NULL,
    message   text        NOT NULL
);
CREATE INDEX alerts_by_time ON alerts (ts DESC, alert_id);

-- Where the sink goes on reading, in the same transaction as the rows. Offsets belong to one cluster.
CREATE TABLE stream_offsets (
    cluster_id  text    NOT NULL,
    topic       text    NOT NULL,
    partition   integer NOT NULL,
    next_offset bigint  NOT NULL,
    PRIMARY KEY (cluster_id, topic, partition)
);
