-- Alerts are of rules, whatever these measure. What is stored is of the rule that every pair has, on its z-score.
ALTER TABLE alerts
    ADD COLUMN rule     text,
    ADD COLUMN metric   text,              -- what the rule measures, and its name among the values
    ADD COLUMN subject  text,              -- a pair, a symbol, a service
    ADD COLUMN severity text  NOT NULL DEFAULT 'warning' CHECK (severity IN ('info', 'warning', 'critical')),
    ADD COLUMN labels   jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(labels) = 'object'),
    ADD COLUMN "values" jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof("values") = 'object');
UPDATE alerts SET
    rule = CASE rule_id WHEN 'zscore' THEN 'zscore-threshold' ELSE rule_id END,
    metric = 'zscore',
    subject = pair,
    "values" = jsonb_build_object('zscore', value, 'threshold', threshold);
ALTER TABLE alerts
    ALTER COLUMN rule SET NOT NULL,
    ALTER COLUMN metric SET NOT NULL,
    ALTER COLUMN subject SET NOT NULL,
    ALTER COLUMN pair DROP NOT NULL,       -- null: it has to do with no pair
    ALTER COLUMN value DROP NOT NULL,      -- null: the rule does not compare two numbers
    ALTER COLUMN threshold DROP NOT NULL;
CREATE INDEX alerts_by_subject ON alerts (subject, ts DESC, alert_id);
