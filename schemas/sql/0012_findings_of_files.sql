-- What is found in files as people have them: lines not meant as bars, bars that were adjusted, bars at odd times.
ALTER TABLE dataset_findings DROP CONSTRAINT dataset_findings_kind_check, ADD CONSTRAINT dataset_findings_kind_check
    CHECK (kind IN ('rejected', 'skipped', 'adjusted', 'out of order', 'repeated', 'odd', 'gap', 'carried'));
