"""Incidents: each alert that opens one, with what ended it; a table that is paged like that of the alerts."""

from typing import get_args

from psycopg import sql

from services.api.queries.tables import ALERTS, TableSource, fields_of
from services.contracts.alert_messages import OPENING, ZSCORE
from services.contracts.messages import Alert
from services.contracts.signals import Quality

CLOSING = ("resolved", "ended")
PEAK_SIGNALS = 3_600
"""An incident with more signals than an hour has is given no peak, which bounds what a page reads."""
_OK = get_args(Quality)[0]

# An opening that its rule tells again, after `recovering`, is no second incident. Where a rule has no incident ids, an
# incident ends with the next end of its rule and subject. One that the next incident follows without an end is over,
# though nobody knows since when.
_INCIDENTS = sql.SQL("""
(
    SELECT opening.*, retracted_by, acked_at IS NOT NULL AS acked, acked_at, acked_by, snoozed_until,
        coalesce(snoozed_until > now(), false) AS snoozed,
        false_at IS NOT NULL AS marked_false, false_at, false_by, coalesce(note, '') AS note,
        CASE WHEN retracted_by IS NOT NULL THEN 'retracted' WHEN later.state IS NULL THEN opening.state
            WHEN later.state = ANY ({closing}) THEN later.state ELSE 'ended' END AS state_now,
        retracted_by IS NULL AND later.state IS NULL AS open,
        CASE WHEN later.state = ANY ({closing}) THEN later.ts END AS end_ts,
        CASE WHEN later.state = ANY ({closing}) THEN later.alert_id END AS ended_by
    FROM alerts AS opening LEFT JOIN alert_handling USING (alert_id)
    LEFT JOIN LATERAL (
        SELECT min(alert_id) AS retracted_by FROM alerts AS undoing WHERE undoing.retracts = opening.alert_id
    ) AS retraction ON true
    LEFT JOIN LATERAL (
        SELECT alert_id, ts, state FROM alerts AS next
        WHERE retracted_by IS NULL AND next.subject = opening.subject AND next.rule = opening.rule
            AND next.ts >= opening.ts
            AND CASE WHEN next.state = ANY ({closing}) THEN next.incident_id = opening.incident_id
                WHEN next.state = ANY ({opening}) THEN (next.ts, next.alert_id) > (opening.ts, opening.alert_id)
                    AND (next.incident_id = '' OR next.incident_id <> opening.incident_id)
                ELSE false END
            AND NOT EXISTS (SELECT FROM alerts AS undoing WHERE undoing.retracts = next.alert_id)
        ORDER BY ts, state = ANY ({opening}), alert_id LIMIT 1
    ) AS later ON true
    WHERE opening.state = ANY ({opening}) AND (opening.incident_id = '' OR NOT EXISTS (
        SELECT FROM alerts AS first
        WHERE first.incident_id = opening.incident_id AND first.incident_id <> ''
            AND first.state = ANY ({opening}) AND (first.ts, first.alert_id) < (opening.ts, opening.alert_id)
            AND NOT EXISTS (SELECT FROM alerts AS undoing WHERE undoing.retracts = first.alert_id)
    ))
) AS incidents
""").format(opening=sql.Literal(list(OPENING)), closing=sql.Literal(list(CLOSING)))

# In the list of columns it is computed for the rows of a page alone.
_PEAK = sql.SQL("""
CASE WHEN metric = {metric} AND retracted_by IS NULL AND (open OR end_ts IS NOT NULL) THEN (
    SELECT CASE WHEN count(*) > {most} THEN NULL WHEN max(zscore) >= -min(zscore) THEN max(zscore) ELSE min(zscore) END
    FROM (
        SELECT CASE WHEN quality = {ok} THEN zscore END AS zscore FROM signals
        WHERE signals.pair = incidents.subject AND signals.ts >= incidents.ts
            AND signals.ts <= coalesce(end_ts, 'infinity')
        ORDER BY signals.ts LIMIT {most} + 1
    ) AS seen
) END
""").format(metric=sql.Literal(ZSCORE), ok=sql.Literal(_OK), most=sql.Literal(PEAK_SIGNALS))

INCIDENTS = TableSource(
    _INCIDENTS,
    sql.SQL(
        "{}, state_now AS state, end_ts AS end_us, extract(epoch FROM end_ts - ts)::float8 AS duration_s, ended_by, "
        "{} AS peak, retracted_by, acked_at AS acked_us, acked_by, snoozed_until AS snoozed_until_us, "
        "false_at AS false_us, false_by, note"
    ).format(fields_of(Alert, {"event_us": "ts"}, ("state", "duration_s", "retracts")), _PEAK),
    ALERTS.of,
    ALERTS.key,
    ALERTS.cursor,
)
