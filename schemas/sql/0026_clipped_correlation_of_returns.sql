-- Whether the estimate of a correlation of returns was beyond 1 or -1, where it is cut off.
ALTER TABLE signals ADD COLUMN return_correlation_clipped boolean NOT NULL DEFAULT false;
