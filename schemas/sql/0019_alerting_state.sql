-- States of rules, what `alerting` goes on from: written in the transaction that moves its offsets (`stream_offsets`, as
-- the cluster `alerting/<id>`) and puts into the outbox what is to be told.
CREATE TABLE alerting_states (
    kind    text  NOT NULL CHECK (kind IN ('pair', 'symbol', 'service', 'board')),
    subject text  NOT NULL,
    state   bytea NOT NULL,  -- msgpack of services/rules/subject.py; of the board of services/rules/board.py
    PRIMARY KEY (kind, subject)
);

-- Alerts that are told for certain, until the broker has them.
CREATE TABLE alerting_outbox (
    number  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject text   NOT NULL,
    message bytea  NOT NULL  -- as it goes to the topic `alerts`
);
