-- Spreads of a scan's pairs: the half-life as likely too short as too long, with its interval of 95 %, and how often the
-- spread changed its side of the line. NULL where there is no end, and in scans of before.
ALTER TABLE scan_pairs
    ADD COLUMN half_life_corrected_bars float8,
    ADD COLUMN half_life_low_bars       float8,
    ADD COLUMN half_life_high_bars      float8,
    ADD COLUMN zero_crossings           integer;

-- Rules have one more kind of subject: the pair of a radar.
ALTER TABLE alerting_states
    DROP CONSTRAINT alerting_states_kind_check,
    ADD CONSTRAINT alerting_states_kind_check CHECK (kind IN ('pair', 'symbol', 'service', 'radar', 'board'));
