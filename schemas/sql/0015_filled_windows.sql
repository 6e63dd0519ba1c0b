-- What of a signal's window was filled from the store, from before the pair was watched.
ALTER TABLE signals ADD COLUMN filled text;

-- An alert of a pair that is measured no longer ends.
ALTER TABLE alerts DROP CONSTRAINT alerts_state_check;
ALTER TABLE alerts ADD CONSTRAINT alerts_state_check CHECK (state IN ('firing', 'resolved', 'retracted', 'ended'));
