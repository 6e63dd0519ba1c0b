-- What users have decided on symbols beside the settings, collected or not: a mirror of the topic `symbols`.
CREATE TABLE symbols (
    symbol    text    PRIMARY KEY,
    collected boolean NOT NULL
);
