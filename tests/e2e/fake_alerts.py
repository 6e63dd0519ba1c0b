"""Alerts of the fake API, and the actions on them."""

import time
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse

from tests.e2e.fake_pairs import Latest, problem

SECOND = 1_000_000
SNOOZE_MAX_S = 30 * 86_400
UNHANDLED: dict[str, Any] = {
    "incident_id": "",
    "duration_s": None,
    "valid_until_us": None,
    "valid_until_time": None,
    "y_age_s": 0.2,
    "x_age_s": 4.1,
    "reversion": "unproven",
    "retracts": None,
    "retracted_by": None,
    "acked_us": None,
    "acked_time": None,
    "acked_by": None,
    "snoozed_until_us": None,
    "snoozed_until_time": None,
}


class Alerts:
    """Every alert, and in ``news`` all that was ever said of one."""

    def __init__(self) -> None:
        self.stored: dict[str, dict[str, Any]] = {}
        self.news: list[dict[str, Any]] = []
        self.marks: dict[str, dict[str, Any]] = {}  # of incidents that were called false alarms
        self.is_away = False
        self.refused: str | None = None  # the one that nothing may be done about

    def say(self, alert: dict[str, Any]) -> dict[str, Any]:
        """Tell of an alert, a new one or what was done about it."""
        self.stored[alert["alert_id"]] = alert
        self.news.append(alert)
        return alert

    def newest(self) -> list[dict[str, Any]]:
        """Return every alert, the newest first."""
        return sorted(self.stored.values(), key=lambda one: (one["event_us"], one["alert_id"]), reverse=True)


def add(app: FastAPI, alerts: Alerts, feed: str, latest: Latest) -> None:
    """Add the routes to `app`."""

    @app.get("/v1/alerts")
    async def get_alerts(
        request: Request,
        pair: str | None = None,
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
            alert
            for alert in alerts.newest()
            if pair in (None, alert["pair"])
            and subject in (None, alert["subject"])
            and state in (None, alert["state"])
            and acked in (None, alert["acked_us"] is not None)
            and snoozed in (None, (alert["snoozed_until_us"] or 0) > time.time_ns() // 1000)
            and (start is None or alert["event_us"] >= start)
            and (end is None or alert["event_us"] < end)
        ]
        if request.query_params.get("format") == "csv":
            lines = [
                "alert_id,pair,state",
                *(f"{a['alert_id']},{a['pair']},{a['state']}" for a in found[:limit]),
            ]
            saved = {"Content-Disposition": 'attachment; filename="alerts.csv"'}
            return PlainTextResponse("\n".join(lines) + "\n", headers=saved, media_type="text/csv")
        page = found[cursor : cursor + limit]
        more = {"next_cursor": str(cursor + limit)} if len(found) > cursor + limit else {}
        return {"feed": feed, "data": page, **more}

    @app.post("/v1/alerts/{alert_id}/ack")
    async def acknowledge(alert_id: str) -> Any:
        if alert_id == alerts.refused:
            return problem(404, f"expected the id of a stored alert, received {alert_id!r}")
        return alerts.say(
            {**alerts.stored[alert_id], "acked_us": time.time_ns() // 1000, "acked_by": "local"}
        )

    @app.post("/v1/alerts/{alert_id}/snooze")
    async def snooze(alert_id: str, body: dict[str, float]) -> Any:
        if body["for_s"] > SNOOZE_MAX_S:
            expected = f"less than or equal to {SNOOZE_MAX_S}"
            return problem(422, f"body.for_s: expected {expected}", ("body.for_s", expected, body["for_s"]))
        until = time.time_ns() // 1000 + round(body["for_s"] * SECOND) if body["for_s"] else None
        return alerts.say({**alerts.stored[alert_id], "snoozed_until_us": until})

    @app.post("/fake/alert")
    async def fake_alert(
        pair: str = "ETHUSDT-BTCUSDT",
        state: str = "firing",
        message: str = "",
        ago_s: int = 0,
        rule: str = "zscore-threshold",
    ) -> dict[str, Any]:
        last = latest(pair)
        beyond = f"z-score of {pair} beyond 2.0" if state == "firing" else f"z-score of {pair} back inside"
        at_us = last["event_us"] - ago_s * SECOND
        alert = {
            "alert_id": f"alert-{len(alerts.news):06}-{last['event_us']}",
            "rule_id": "zscore" if rule == "zscore-threshold" else rule,
            "pair": pair,
            "event_us": at_us,
            "event_time": datetime.fromtimestamp(at_us / SECOND, UTC).isoformat(),
            "state": state,
            "value": last["zscore"] or 0.0,
            "threshold": 2.0,
            "message": message or beyond,
            **UNHANDLED,
            "rule": rule,
            "metric": "zscore",
            "subject": pair,
            "severity": "warning",
            "labels": {},
            "values": {"zscore": last["zscore"] or 0.0, "entry": 2.0, "exit": 0.5},
        }
        return alerts.say(alert)

    @app.post("/fake/retract")
    async def retract(alert_id: str) -> dict[str, Any]:
        known = alerts.stored[alert_id]
        made = {
            "alert_id": f"{alert_id}:retracted",
            "state": "retracted",
            "retracts": alert_id,
            "message": f"{known['message']}: retracted, late trades changed this second or its window",
        }
        retraction = alerts.say({**known, **UNHANDLED, **made})
        alerts.say({**known, "retracted_by": retraction["alert_id"]})
        return retraction

    @app.post("/fake/alerts")
    async def fake_alerts(away: bool | None = None, refuse: str | None = None, wake: bool = False) -> Any:
        alerts.is_away = alerts.is_away if away is None else away
        alerts.refused = refuse
        if wake:
            for alert in alerts.newest():
                if alert["snoozed_until_us"] is not None:
                    alerts.say({**alert, "snoozed_until_us": None})
        return {"away": alerts.is_away}
