-- A pair is written with two hyphens where a symbol has one.

ALTER TABLE pairs
    DROP CONSTRAINT pairs_check,
    ADD CONSTRAINT pairs_check CHECK (
        x <> y AND pair = y || CASE position('-' IN y || x) WHEN 0 THEN '-' ELSE '--' END || x
    );
