"""Incidents of the fake API: its alerts that fire, each with what ended it."""

import time
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse

from tests.e2e.fake_alerts import SECOND, Alerts
from tests.e2e.fake_pairs import problem

UNMARKED: dict[str, Any] = {"false_us": None, "false_time": None, "false_by": None, "note": ""}


def incidents(alerts: Alerts) -> list[dict[str, Any]]:
    """Return the incidents of alerts, all the newest first; an alert without an end is over if another follows."""
    found = []
    after: dict[tuple[str, str], dict[str, Any]] = {}
    for alert in alerts.newest():
        source = (alert["rule"], alert["subject"])
        state = alert["state"]
        if state == "firing":
            retracted, later = alert["retracted_by"] is not None, after.get(source)
            end = later if later and later["state"] != "firing" and not retracted else None
            now = "retracted" if retracted else end["state"] if end else "ended" if later else "firing"
            fields = {name: one for name, one in alert.items() if name not in ("retracts", "duration_s")}
            end_us = end["event_us"] if end else None
            found.append(
                {
                    **fields,
                    "state": now,
                    "end_us": end_us,
                    "end_time": end and datetime.fromtimestamp(end["event_us"] / SECOND, UTC).isoformat(),
                    "duration_s": end and (end["event_us"] - alert["event_us"]) / SECOND,
                    "ended_by": end and end["alert_id"],
                    "peak": None if retracted else 1.25 * alert["value"],
                    **alerts.marks.get(alert["alert_id"], UNMARKED),
                }
            )
        if state != "retracted" and alert["retracted_by"] is None:
            after[source] = alert
    return found


def add(app: FastAPI, alerts: Alerts, feed: str) -> None:
    """Add the route to `app`."""

    @app.get("/v1/incidents")
    async def get_incidents(
        request: Request,
        pair: str | None = None,
        rule: str | None = None,
        subject: str | None = None,
        state: str | None = None,
        acked: bool | None = None,
        snoozed: bool | None = None,
        start: int | None = None,
        end: int | None = None,
        limit: int = 100,
        cursor: int = 0,
    ) -> Any:
        if alerts.is_away:
            return problem(503, "the database is away")
        found = [
            one
            for one in incidents(alerts)
            if pair in (None, one["pair"])
            and rule in (None, one["rule"])
            and subject in (None, one["subject"])
            and state in (None, one["state"])
            and acked in (None, one["acked_us"] is not None)
            and snoozed in (None, (one["snoozed_until_us"] or 0) > time.time_ns() // 1000)
            and (start is None or one["event_us"] >= start)
            and (end is None or one["event_us"] < end)
        ]
        if request.query_params.get("format") == "csv":
            lines = [
                "alert_id,pair,state",
                *(f"{one['alert_id']},{one['pair']},{one['state']}" for one in found[:limit]),
            ]
            saved = {"Content-Disposition": 'attachment; filename="incidents.csv"'}
            return PlainTextResponse("\n".join(lines) + "\n", headers=saved, media_type="text/csv")
        more = {"next_cursor": str(cursor + limit)} if len(found) > cursor + limit else {}
        return {"feed": feed, "data": found[cursor : cursor + limit], **more}

    @app.post("/v1/incidents/{alert_id}/mark")
    async def mark(alert_id: str, body: dict[str, Any]) -> Any:
        if alert_id not in {one["alert_id"] for one in incidents(alerts)}:
            return problem(404, f"expected the id of an alert that opened an incident, received {alert_id!r}")
        is_false, at_us = body.get("is_false", True), time.time_ns() // 1000
        at = {
            "false_us": at_us,
            "false_time": datetime.fromtimestamp(at_us / SECOND, UTC).isoformat(),
            "false_by": "desk",
        }
        alerts.marks[alert_id] = {**UNMARKED, **(at if is_false else {}), "note": body.get("note", "")}
        return next(one for one in incidents(alerts) if one["alert_id"] == alert_id)
